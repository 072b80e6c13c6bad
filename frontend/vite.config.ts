import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

import { preload } from "./scripts/preload.ts";

// In development, Vite serves the pages and forwards all other requests to a running gateway.
const gateway = process.env["SOUK_GATEWAY"] ?? "http://localhost:8080";

/** Writes `FILE.br` and `FILE.gz` next to each text file, so that the gateway need not compress anything. */
function compressed(): Plugin {
  let folder = "dist";
  return {
    name: "compressed",
    apply: "build",
    configResolved: (config) => {
      folder = config.build.outDir;
    },
    closeBundle: async () => {
      const files = await readdir(folder, { recursive: true });
      const texts = files.filter((file) => /\.(js|css|html|svg)$/.test(file)).map((file) => join(folder, file));
      await Promise.all(
        texts.map(async (file) => {
          const text = await readFile(file);
          await writeFile(`${file}.br`, await promisify(brotliCompress)(text));
          await writeFile(`${file}.gz`, await promisify(gzip)(text, { level: 9 }));
        }),
      );
    },
  };
}

/** Returns all modules that `src/main.tsx` imports statically, directly or indirectly. */
function shell(modules: { getModuleInfo: (file: string) => { importedIds: readonly string[] } | null }): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file) || !file.includes("/src/")) return;
    found.add(file);
    modules.getModuleInfo(file)?.importedIds.forEach(visit);
  };
  visit(fileURLToPath(new URL("./src/main.tsx", import.meta.url)));
  return found;
}

/** A chunk group for modules that several pages share. Modules with a large library of their own are excluded. */
function shared(name: string, folder: RegExp) {
  const withLibrary = /(zod|amount|serverErrors|mailRequest|password\w*|\w+Dialog|\w*[fF]orm)\.tsx?$/;
  return {
    name,
    test: (file: string) => folder.test(file) && !withLibrary.test(file),
    minShareCount: 2,
    entriesAware: true,
    includeDependenciesRecursively: false,
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), preload(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "^/(v1|openapi.json|docs|healthz)": { target: gateway, changeOrigin: false, xfwd: true } } },
  build: {
    target: ["chrome123", "firefox120", "safari17.5"],
    // File names contain a hash of the content, so browsers may cache them forever.
    assetsDir: "assets",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // Rolldown names a shared chunk after all chunks that share it; keep only the first part.
        chunkFileNames: ({ name }) => `assets/${name.split("~")[0]}-[hash].js`,
        codeSplitting: {
          groups: [
            // Libraries that every page needs and that change rarely.
            {
              name: "libraries",
              test: /preload-helper|node_modules\/(react|react-dom|scheduler|react-router|@tanstack\/query-core|@tanstack\/react-query|openapi-fetch)\//,
              includeDependenciesRecursively: false,
              priority: 4,
            },
            // The code of the first page only.
            {
              name: (file, modules) => (shell(modules).has(file) ? "shell" : null),
              test: /\/src\//,
              includeDependenciesRecursively: false,
              priority: 3,
            },
            // Over HTTP/1.1 a browser loads six files at a time, so a few larger files load sooner than many small ones.
            { ...shared("office", /\/src\/admin\//), entriesAwareMergeThreshold: 40_000, priority: 2 },
            // The texts of the account are long, and other pages do not need them.
            { ...shared("account", /\/src\/account\//), entriesAwareMergeThreshold: 6_000, priority: 2 },
            { ...shared("shared", /\/src\/(?!notifications\/)/), entriesAwareMergeThreshold: 6_000, priority: 1 },
          ],
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
  },
});
