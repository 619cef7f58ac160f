import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelScript } from "./model-script.ts";
import type { SampleProject } from "./playground.ts";

/** The sample project as a person would have it, an open issue included. */
export const sampleProject: SampleProject = { name: "tally", files: join(import.meta.dirname, "sample", "project"), change: null };
const solution = join(import.meta.dirname, "sample", "solution");

/** How the scripted model goes about the sample project's issue: look, change, look again, report. */
export async function readScenario(): Promise<ModelScript> {
  const [bill, tests] = await Promise.all(["src/bill.js", "test/bill.test.js"].map((path) => readFile(join(solution, path), "utf8")));
  return {
    scenarios: [
      {
        when: "comes to 0.30000000000000004",
        steps: [
          { text: "I run the tests first, to see what fails now.", calls: [{ kind: "run", command: "node --test" }], delayMs: 300 },
          {
            text: "`total` adds euros as binary fractions. I count in whole cents instead.",
            calls: [{ kind: "write", path: "src/bill.js", content: bill ?? "" }],
            delayMs: 300,
          },
          {
            text: "Now the test that the issue asks for.",
            calls: [{ kind: "write", path: "test/bill.test.js", content: tests ?? "" }],
            delayMs: 300,
          },
          { calls: [{ kind: "run", command: "node --test" }], delayMs: 300 },
          {
            text:
              "`total` now adds up in whole cents and converts to euros once, at the end, so that no binary fraction is added to another. " +
              "A new test covers a quantity above one (three at 1.15 come to 3.45).",
            delayMs: 300,
          },
        ],
      },
    ],
  };
}
