import { defineConfig, devices } from "@playwright/test";

// Tests the pages in a real browser against the real system. `cargo xtask test` starts the system and these tests; to use a
// running system: SOUK_URL=http://localhost:8080 npx playwright test
export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: Boolean(process.env["CI"]),
  workers: 2,
  // A test that passes only when retried has found a bug.
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL: process.env["SOUK_URL"] ?? "http://localhost:8080",
    locale: "en-GB",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env["SOUK_CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "desktop", use: { ...devices["Desktop Chrome"] }, testIgnore: /breaks\.spec/ },
    { name: "phone", use: { ...devices["Pixel 7"] }, testMatch: /(buy|accessibility)\.spec/ },
    // These tests stop processes, so they run alone and last.
    {
      name: "breaks",
      use: { ...devices["Desktop Chrome"] },
      testMatch: /breaks\.spec/,
      dependencies: ["desktop", "phone"],
      fullyParallel: false,
      workers: 1,
    },
  ],
});
