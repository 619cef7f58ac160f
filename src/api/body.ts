import type { IncomingMessage } from "node:http";
import { AppError } from "../base/errors.ts";
import { problem } from "./problem.ts";
import type { Problem } from "../contract/routes.ts";

/** A refusal that is thrown to leave the handling of a request at once. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly problem: Problem;
  readonly headers: Record<string, string>;

  constructor(refused: Problem, headers: Record<string, string> = {}) {
    super(refused.detail);
    this.problem = refused;
    this.headers = headers;
  }
}

/** The whole body as it was sent. Throws a 413 when it is longer than `maxBytes`, before reading more than that. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  // The rest of a refused body is not worth reading: the connection ends with the answer.
  const tooLarge = () => new Refusal(problem(413, "too_large", `The body is longer than ${maxBytes} bytes.`), { connection: "close" });
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(request)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* chunksOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    // Kept alive on the way out: destroying the stream would end the socket before the answer is sent.
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new AppError("cancelled", "The client went away before its request was complete.", { cause });
  }
}

/** The body as JSON; `{}` when there is none. Only `application/json` is taken, which no web form can send. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!hasBody(request)) return {};
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new Refusal(problem(415, "invalid", "Send the body as application/json."), { connection: "close" });
  const bytes = await readBody(request, maxBytes);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal(
      problem(400, "invalid", "The body is not valid JSON in UTF-8.", { issues: [{ path: "body", message: "not valid JSON" }] }),
    );
  }
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
}
