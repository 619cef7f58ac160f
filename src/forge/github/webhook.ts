import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { AppError } from "../../base/errors.ts";

/** A webhook delivery as it arrived. */
export interface WebhookDelivery {
  /** Exactly the bytes that were sent: the signature is over them. */
  readonly body: Uint8Array;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a delivery tells us. Its contents are old by the time they are read, so it says only where to look. */
export interface WebhookNotice {
  readonly deliveryId: string;
  /** `owner/name`, in lower case. */
  readonly repository: string;
  /** The issue that something happened to; null: nothing that matters here. */
  readonly issue: number | null;
  /** The branch that was pushed to; null: none. */
  readonly branch: string | null;
}

/** GitHub sends at most 25 MB; the events that matter here stay far below this. */
const BODY_MAX_BYTES = 5 * 1024 * 1024;
const RELEVANT_EVENTS = new Set(["issues", "issue_comment"]);

const Payload = z.object({
  repository: z.object({ full_name: z.string() }),
  ref: z.string().optional(),
  issue: z.object({ number: z.int().positive(), pull_request: z.unknown().optional() }).optional(),
});

/**
 * Checks a delivery's signature (`X-Hub-Signature-256`, HMAC-SHA-256 over the raw body) before anything in it is read, and
 * says what to look at. Throws `invalid`; with `details.reason` `signature` when it is not from whom it claims to be.
 */
export function readWebhook({ body, headers }: WebhookDelivery, secret: string): WebhookNotice {
  if (body.byteLength > BODY_MAX_BYTES) throw new AppError("invalid", "The webhook's body is too large.", { reason: "too_large" });
  if (!isSigned(body, headers["x-hub-signature-256"] ?? "", secret)) {
    throw new AppError("invalid", "The webhook's signature does not fit. Use the same secret here and at GitHub.", { reason: "signature" });
  }
  const deliveryId = headers["x-github-delivery"] ?? "";
  if (!/^[\w-]{1,100}$/.test(deliveryId)) throw new AppError("invalid", "The webhook has no delivery id.");
  const payload = Payload.safeParse(parseJson(body));
  if (!payload.success) throw new AppError("invalid", "The webhook is not of a repository. Choose JSON as its content type.");
  const { repository, issue, ref } = payload.data;
  const event = headers["x-github-event"] ?? "";
  const matters = RELEVANT_EVENTS.has(event) && issue !== undefined && issue.pull_request === undefined;
  return {
    deliveryId,
    repository: repository.full_name.toLowerCase(),
    issue: matters ? issue.number : null,
    branch: event === "push" ? branchOf(ref) : null,
  };
}

function branchOf(ref: string | undefined): string | null {
  return /^refs\/heads\/(.+)$/.exec(ref ?? "")?.[1] ?? null;
}

function isSigned(body: Uint8Array, signature: string, secret: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined; // the caller's schema refuses it
  }
}
