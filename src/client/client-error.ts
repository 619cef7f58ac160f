import type { Problem } from "../contract/routes.ts";

/** What the API refused or could not do. `status` 0: no answer came at all. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: Problem["code"];
  readonly status: number;
  /** The fields of an `invalid` request that are wrong. */
  readonly issues: NonNullable<Problem["issues"]>;
  /** After which time trying again makes sense, where the API said so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: Problem["code"],
    message: string,
    more: { status?: number; issues?: Problem["issues"]; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.status = more.status ?? 0;
    this.issues = more.issues ?? [];
    this.retryAfterMs = more.retryAfterMs;
  }
}
