import { expect, test } from "vitest";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { partsBlock } from "./render-parts.ts";

const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, costUsdMicros: 250_000 };
const check = (exitCode: number) => ({ exitCode, durationMs: 1000, failures: [], outputTail: "" });
const proof = {
  baseCommit: "a".repeat(40),
  headCommit: "b".repeat(40),
  changes: ["sum.js | 2 ++"],
  checks: [{ name: "tests", command: "npm test", base: check(1), head: check(0), verdict: "fixed" as const, newFailures: [] }],
  gate: {
    gate: "red" as const,
    accepted: true,
    fromCommit: "a".repeat(40),
    headCommit: "b".repeat(40),
    findings: [],
    tests: [{ name: "adds", isWhole: false }],
    flaky: [],
    counts: { passed: 3, failed: 1, skipped: 0 },
    diff: { files: 1, added: 2, removed: 0 },
    log: "not ok 1 - adds",
    durationMs: 10,
  },
};
const part = (number: number, title = "Sums | products", log = "") => ({
  task: { key: `api#${number}`, title, status: "succeeded", usage } as Task,
  runs: [
    {
      stage: "red",
      attempt: 1,
      startedAt: 0,
      finishedAt: 65_000,
      outcome: { status: "succeeded", report: "", proof: { ...proof, gate: { ...proof.gate, log: log || proof.gate.log } } },
    } as unknown as Run,
  ],
});

test("a pull request that is made of no tasks says nothing of them", () => {
  expect(partsBlock([])).toBe("");
});

test("each task has a line, and the evidence of its cycle with the log of the failing test", () => {
  expect(partsBlock([part(2)])).toBe(
    [
      "## Made of",
      "",
      "| task | what | result | runs | cost |",
      "| --- | --- | --- | --- | --- |",
      "| `api#2` | Sums \\| products | succeeded | 1 | $0.25 |",
      "",
      "<details><summary>Evidence of api#2</summary>",
      "",
      "**red**, attempt 1: succeeded, 1 min 5 s",
      "",
      "`aaaaaaaaaaaa` to `bbbbbbbbbbbb`",
      "",
      "- `tests`: exit 1 before, exit 0 after, fixed, 1 s",
      "",
      "Gate red accepted: 3 passed, 1 failed, 0 skipped; 1 files, +2 -0.",
      "",
      "- `adds`",
      "",
      "```text\nnot ok 1 - adds\n```",
      "",
      "```text\nsum.js | 2 ++\n```",
      "",
      "</details>",
    ].join("\n"),
  );
});

test("of a long log the beginning is shown, where the first failure is", () => {
  expect(partsBlock([part(2, "Sums", `not ok 1 - adds\n${"at a line of the runner\n".repeat(100)}`)])).toContain(
    "```text\nnot ok 1 - adds\n",
  );
});

test("why a gate refused is told once", () => {
  const { runs, ...rest } = part(2);
  const finding = { rule: "flaky" as const, message: "adds passes only sometimes", file: null, line: null };
  const refused = { ...proof, gate: { ...proof.gate, accepted: false, findings: [finding] } };
  const outcome = {
    status: "failed",
    reason: "checks_failed",
    message: "The gate red refuses it: flaky: adds passes only sometimes",
    proof: refused,
  };
  const body = partsBlock([{ ...rest, runs: runs.map((run) => ({ ...run, outcome }) as unknown as Run) }]);
  expect(body.match(/passes only sometimes/g)?.length).toBe(1);
  expect(body).toContain("- `flaky`: adds passes only sometimes");
});

test("however many there are, a forge takes the body; what is left out is said, and nothing has a voice", () => {
  const many = Array.from({ length: 100 }, (_, index) => part(index + 1, "Fixes #3 @everyone </details>", "x".repeat(5000)));
  const body = partsBlock(many);
  expect(body.length).toBeLessThan(40_000);
  expect(body).toMatch(/The evidence of \d+ more is in `drover task bundle`\.$/);
  expect(body).not.toMatch(/ #3|@everyone|everyone <\/details>/);
});
