import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Drover's own agent runs under a holder, whose commands get no variable of the test runner's. */
const ranByHolders = ["src/builtin/main.ts", "src/builtin/agent-host.ts"];
/** Runs in a browser, where test/dashboard drives it and nothing is counted. */
const ofBrowsers = "dashboard";
/** Reached only by people's programs or as data for the demo; every other folder of src/ is held to the threshold on its own. */
const notCounted = ["src/demo/sample/**", "**/*.test.ts", ...ranByHolders, `src/${ofBrowsers}/**`];
const folders = readdirSync("src").filter((folder) => folder !== ofBrowsers);
/** They keep every processor busy for minutes: after the others, so that none of those is starved. */
const ofSimulator = "test/simulate/**/*.test.ts";
/**
 * Tests that run our programs as processes of their own. Apart from the others, because the coverage of a file that runs in
 * the test's process and in a child of it is only right when the two come from different projects.
 */
const ofProcesses = [
  "test/**/*.process.test.ts",
  "test/{agents,dashboard,demo,isolation,launcher,process,scenario}/**/*.test.ts",
  "test/store/{claim-race,crash}.test.ts",
];

/** A test that passes only when tried again is told of in the closing summary; on a person's machine it fails at once. */
const RETRIES = process.env["CI"] === "true" ? 1 : 0;

export default defineConfig({
  test: {
    globalSetup: ["test/support/fresh-machine.ts"],
    maxWorkers: 2,
    // Generous: on a machine that is slow for a while a test must not fail for that. What waits too long is found by what it waits for.
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    teardownTimeout: 30_000,
    reporters: ["default", "./test/support/closing-summary.ts"],
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts", "scripts/**/*.test.ts"], testTimeout: 60_000 } },
      {
        extends: true,
        test: { name: "whole", include: ["test/**/*.test.ts"], exclude: [...ofProcesses, ofSimulator], testTimeout: 180_000 },
      },
      { extends: true, test: { name: "processes", include: ofProcesses, testTimeout: 240_000, retry: RETRIES } },
      { extends: true, test: { name: "simulator", include: [ofSimulator], sequence: { groupOrder: 1 } } },
    ],
    coverage: {
      enabled: process.env["DROVER_COVERAGE"] === "1",
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
