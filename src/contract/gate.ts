import { z } from "zod";
import { Duration } from "./ids.ts";

/**
 * What a stage's commit must show, by tests that Drover ran itself in a clean checkout. red: a new test fails, for a reason that
 * counts, and only tests were changed. green: those tests pass, nothing else fails, the tests are as red left them. refactor: the same
 * again; what falls short is undone. verify: the same once more, in a checkout made anew.
 */
export const GateKind = z.enum(["red", "green", "refactor", "verify"]);
export type GateKind = z.infer<typeof GateKind>;

/** What a gate refuses. Each is named in docs/guides/tdd.md. */
export const GateRule = z.enum([
  // The tests do not show what they should.
  "no_new_test",
  "already_passes",
  "wrong_reason",
  "still_fails",
  "new_failure",
  "flaky",
  "timed_out",
  "no_report",
  "runner_failed",
  // The tests, or what runs them, were changed so that they show nothing.
  "not_a_test",
  "test_changed",
  "deleted_test",
  "skipped_test",
  "focused_test",
  "weakened_test",
  "empty_assertion",
  "mocked_subject",
  "runner_changed",
  "early_exit",
  "test_aware",
  "too_large",
]);
export type GateRule = z.infer<typeof GateRule>;

/** One thing that a gate saw and refuses, where it was seen. */
export const GateFinding = z.object({
  rule: GateRule,
  message: z.string(),
  file: z.string().nullable(),
  /** 1-based, in the file as the stage left it, or where it took something away, as it was before. */
  line: z.int().positive().nullable(),
});
export type GateFinding = z.infer<typeof GateFinding>;

/** A test that a cycle is about. */
export const GateTest = z.object({
  name: z.string(),
  /** It is a file, module or package of tests, which could not be run at red because what is asked for was not there. */
  isWhole: z.boolean(),
});
export type GateTest = z.infer<typeof GateTest>;

/** What a gate saw of one run of a stage. The runs of a task's stages together are its cycle. */
export const GateEvidence = z.object({
  gate: GateKind,
  accepted: z.boolean(),
  /** The commit that the stage began from, and the one that it came to. */
  fromCommit: z.string(),
  headCommit: z.string(),
  findings: z.array(GateFinding),
  /** The tests that the cycle is about: those that fail at red. */
  tests: z.array(GateTest),
  /** Tests that pass sometimes, with this change and without it. They show nothing. */
  flaky: z.array(z.string()),
  counts: z.object({ passed: z.int(), failed: z.int(), skipped: z.int() }),
  diff: z.object({ files: z.int(), added: z.int(), removed: z.int() }),
  /** What the tests said, redacted: at red the failures, later that they pass. */
  log: z.string(),
  durationMs: Duration,
});
export type GateEvidence = z.infer<typeof GateEvidence>;
