import type { TestResult } from "../contract/test-report.ts";
import { kindOf } from "./failure-kind.ts";

/** Reads one report. Throws `invalid` when it can't be read. */
export type ReportReader = (text: string) => TestResult[];

/** A test that passed or was skipped. */
export function went(status: "passed" | "skipped", name: string, file: string | null = null): TestResult {
  return { name, file, status, kind: null, message: "", missing: null, isWhole: false };
}

/** A test that failed, and why, as far as its message tells. `said` is the name of the error, if there is one. */
export function failed(
  name: string,
  message: string,
  { file = null, said = "", isWhole = false }: { file?: string | null | undefined; said?: string | undefined; isWhole?: boolean } = {},
): TestResult {
  return { name, file, status: "failed", message, isWhole, ...kindOf(message, said) };
}
