/** What kind of failure this is; each surface maps it once (HTTP in `api/`, exit codes in `cli/`). */
export type ErrorCode = "invalid" | "not_found" | "conflict" | "unavailable" | "timeout" | "cancelled" | "internal";

/**
 * A failure that somebody can act on. `message` says what happened, to what, and what to do; it is shown to people.
 * `details` go to the log and, for `invalid`, to the client.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: { cause?: unknown; [key: string]: unknown } = {}) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = rest;
  }
}

/** Whatever was thrown, as an AppError. Anything that is not one already is a bug of ours: `internal`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AppError("internal", message, { cause: thrown });
}

/** The message of whatever was thrown, for a sentence of our own. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
