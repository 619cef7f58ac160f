import { AppError, messageOf } from "../base/errors.ts";

/** Whether a call to the system failed for one of these reasons, `ENOENT`. */
export function hasCode(failure: unknown, ...codes: readonly string[]): boolean {
  return failure instanceof Error && "code" in failure && codes.includes(String(failure.code));
}

/** Whether the system failed us (a full disk, no file handles left, a folder that may not be read): no bug of ours. */
export function isSystemFailure(failure: unknown): failure is Error {
  return failure instanceof Error && "code" in failure && "syscall" in failure;
}

/** What to throw for it: `unavailable` with what could not be done, or the bug as it is. */
export function failureTo(doWhat: string, failure: unknown): unknown {
  if (!isSystemFailure(failure)) return failure;
  return new AppError("unavailable", `Cannot ${doWhat}: ${messageOf(failure)}.`, { cause: failure });
}
