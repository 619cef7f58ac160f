import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Reached only by people's programs or as data for the demo; every other folder of src/ is held to the threshold on its own. */
const notCounted = ["src/demo/sample/**", "**/*.test.ts"];
const folders = readdirSync("src");

export default defineConfig({
  test: {
    globalSetup: ["test/support/fresh-machine.ts"],
    maxWorkers: 2,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    reporters: ["default", "./test/support/closing-summary.ts"],
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts", "scripts/**/*.test.ts"], testTimeout: 20_000 } },
      { extends: true, test: { name: "whole", include: ["test/**/*.test.ts"], testTimeout: 60_000 } },
    ],
    coverage: {
      enabled: process.env["CI"] === "true" || process.env["DROVER_COVERAGE"] === "1",
      provider: "v8",
      // The daemon, the command line and agents run in processes of their own in most tests.
      autoAttachSubprocess: true,
      include: ["src/**/*.ts"],
      exclude: notCounted,
      reporter: ["text-summary", "json-summary", "html"],
      thresholds: Object.fromEntries(folders.map((folder) => [`src/${folder}/**`, { lines: 80, functions: 80, statements: 80 }])),
    },
  },
});
