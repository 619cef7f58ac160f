import type { ErrorCode } from "../base/errors.ts";

/** What a command's exit status says to a script. */
export const exitCodes = [
  { code: 0, meaning: "done" },
  { code: 1, meaning: "failed; with --wait: the task did not succeed" },
  { code: 2, meaning: "wrong usage, or a value that is not valid" },
  { code: 3, meaning: "there is no such project, task, run or setting" },
  { code: 4, meaning: "not possible in the present state" },
  { code: 5, meaning: "the daemon does not run, or cannot do it now" },
  { code: 6, meaning: "it took too long" },
  { code: 130, meaning: "interrupted, or the person said no" },
] as const;

type ExitCode = (typeof exitCodes)[number]["code"];

/** The exit status of each kind of failure: ours, and those that only the API knows. */
const statuses: Readonly<Record<ErrorCode | "unauthorized" | "forbidden" | "too_large" | "too_many", ExitCode>> = {
  invalid: 2,
  too_large: 2,
  not_found: 3,
  conflict: 4,
  unavailable: 5,
  too_many: 5,
  timeout: 6,
  cancelled: 130,
  unauthorized: 1,
  forbidden: 1,
  internal: 1,
};

/** Thrown by a command that has said all there is to say, to end with this status. */
export class Ended extends Error {
  override readonly name = "Ended";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(code: keyof typeof statuses): ExitCode {
  return statuses[code];
}
