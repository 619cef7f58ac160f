import { expect, test } from "vitest";
import type { LoopNote } from "../contract/run.ts";
import { notesOf, shownNotes, unchangedIterations } from "./loop.ts";

const signed = (...signatures: (string | null)[]) => signatures.map((signature) => ({ signature }));

test.each([
  [signed("a"), 1, 0],
  [signed("a", "b"), 2, 0],
  [signed("a", "a"), 2, 1],
  [signed("a", null, "a", null, "a"), 3, 2],
  [signed("a", "b", "a", "b"), 4, 2],
  [signed("a", "b", "a", "c"), 4, 0],
  [signed("a", "a", "a", "a"), 1, 1],
  [signed(), 5, 0],
])("of %j, %i iterations old, %i got nowhere", (notes, since, unchanged) => {
  expect(unchangedIterations(notes, since)).toBe(unchanged);
});

const check = (exitCode: number) => ({ exitCode, durationMs: 1, failures: [], outputTail: "" });
const proof = {
  baseCommit: "b",
  headCommit: "h",
  tree: "t",
  changes: ["a.ts | 1 +"],
  checks: [{ name: "test", command: "npm test", base: check(1), head: check(1), verdict: "known_failure" as const, newFailures: [] }],
};

test("an iteration leaves what it changed, what fails and its last words; what is no iteration leaves nothing", () => {
  const failed = { status: "failed", message: "test fails", proof, retryAt: null } as const;
  expect(notesOf({ ...failed, reason: "check_failed", report: "I tried." }, 2)).toEqual([
    { iteration: 2, kind: "change", text: "a.ts | 1 +", signature: null },
    { iteration: 2, kind: "check", text: "test fails", signature: "t test fails" },
    { iteration: 2, kind: "report", text: "I tried.", signature: null },
  ]);
  expect(notesOf({ status: "no_change", report: "" }, 1)).toEqual([
    { iteration: 1, kind: "check", text: "Nothing was changed.", signature: "no_change" },
  ]);
  expect(notesOf({ ...failed, reason: "agent_error" }, 1)).toEqual([]);
  expect(notesOf({ status: "cancelled", by: "user", message: "" }, 1)).toEqual([]);
});

test("too many notes are shown without the oldest", () => {
  const note = (iteration: number): LoopNote => ({ iteration, kind: "told", text: String(iteration).repeat(7000), signature: null, at: 0 });
  expect(shownNotes([1, 2, 3].map(note)).map((text) => text.slice(0, 12))).toEqual(["Iteration 2,", "Iteration 3,"]);
});
