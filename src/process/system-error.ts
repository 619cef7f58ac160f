/** Whether a call to the system failed for one of these reasons, `ENOENT`. */
export function hasCode(failure: unknown, ...codes: readonly string[]): boolean {
  return failure instanceof Error && "code" in failure && codes.includes(String(failure.code));
}
