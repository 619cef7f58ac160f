import type { ModelCall, ModelStep } from "../../src/demo/model-script.ts";

/** A project whose `sum` subtracts: of its tests one fails and one passes. */
export const sumProject = {
  "package.json": '{ "type": "module" }\n',
  "sum.js": "export const sum = (a, b) => a - b;\n",
  "sum.test.js": `import assert from "node:assert";
import { test } from "node:test";
import { sum } from "./sum.js";

test("adds", () => assert.equal(sum(2, 3), 5));
test("keeps zero", () => assert.equal(sum(0, 0), 0));
`,
};

export const sumCheck = { name: "test", command: "node --test" };

export const sumIssue = { title: "Sum subtracts", body: "TASK: sum(2, 3) is -1, it must be 5.", labels: ["Claude"] };

/** Claude Code writes over a file only after it has read it. */
export const lookStep: ModelStep = { calls: [{ kind: "tool", tool: "Read", input: { file_path: "sum.js" } }] };

/** @param body of the function. */
export const writeSum = (body: string): ModelCall => ({
  kind: "write",
  path: "sum.js",
  content: `export const sum = (a, b) => ${body};\n`,
});

/** How the scripted model does what the issue asks. */
export const mendSteps: readonly ModelStep[] = [
  { text: "I look first.", ...lookStep },
  { calls: [writeSum("a + b")] },
  { calls: [{ kind: "run", command: sumCheck.command }] },
  { text: "The sign was wrong; now it adds." },
];
