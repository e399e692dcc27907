import { defineConfig, devices } from "@playwright/test";

const desktop = { ...devices["Desktop Chrome"], viewport: { width: 1280, height: 800 } };
// A phone's width with this machine's browser.
const phone = { ...devices["Desktop Chrome"], viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
// What only lives in the browser is not asked of a browser without JavaScript.
const plain = { testIgnore: "**/*.wasm.spec.ts" };

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  globalSetup: "./support/global-setup.ts",
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  workers: 2,
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: [["list"]],
  use: {
    locale: "en-US",
    timezoneId: "UTC",
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.COUNTERSIGN_CHROMIUM || undefined,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
  projects: [
    { name: "desktop", use: { ...desktop, javaScriptEnabled: true } },
    { name: "desktop-plain", use: { ...desktop, javaScriptEnabled: false }, ...plain },
    { name: "phone", use: { ...phone, javaScriptEnabled: true } },
    { name: "phone-plain", use: { ...phone, javaScriptEnabled: false }, ...plain },
  ],
});
