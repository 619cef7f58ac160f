import type { TestResult } from "../contract/test-report.ts";

/** What one run of a suite, or of some files of it, came to. */
export interface SuiteRun {
  /** Null: it was ended by its time limit, or by a signal. */
  readonly exitCode: number | null;
  readonly results: readonly TestResult[];
  /** Why its report could not be read; null: it could. */
  readonly problem: string | null;
  /** The last lines that it printed. */
  readonly printed: string;
}

/** A test over several runs of its suite on one commit. */
export interface SettledTest {
  readonly status: "passed" | "failed" | "skipped" | "flaky";
  /** As of its first failure, if there was one. */
  readonly result: TestResult;
}

/** The tests of a commit by name. One that did not always do the same is flaky. */
export function settle(runs: readonly SuiteRun[]): Map<string, SettledTest> {
  const settled = new Map<string, SettledTest>();
  for (const result of runs.flatMap(({ results }) => results)) {
    const before = settled.get(result.name);
    if (before === undefined) settled.set(result.name, { status: result.status, result });
    else if (before.status !== result.status)
      settled.set(result.name, { status: "flaky", result: before.result.status === "failed" ? before.result : result });
  }
  return settled;
}
