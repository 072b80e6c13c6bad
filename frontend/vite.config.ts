import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// While developing, the page comes from Vite and everything else from a gateway that runs already.
const gateway = process.env["SOUK_GATEWAY"] ?? "http://localhost:8080";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "^/(v1|openapi.json|docs|healthz)": { target: gateway, changeOrigin: false, xfwd: true } } },
  build: {
    target: ["chrome123", "firefox120", "safari17.5"],
    // Names carry a hash of the content, so the gateway lets browsers keep them for ever.
    assetsDir: "assets",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
  },
});
