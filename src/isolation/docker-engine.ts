import { createReadStream } from "node:fs";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import { createInterface } from "node:readline";
import { AppError } from "../base/errors.ts";

/** What is sent: JSON, or a tar file's bytes. */
type Body = { readonly json: unknown } | { readonly tar: Buffer } | { readonly tarFile: string };

/**
 * Docker's engine by its HTTP API (https://docs.docker.com/reference/api/engine/), over a unix socket. Requests name no
 * version, so each engine answers by its own newest. An answer with an error status is thrown: `not_found`, `conflict`, or
 * `unavailable` for everything else, with the engine's own words.
 */
export class DockerEngine {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  async json<Answer>(method: string, path: string, body?: Body, signal?: AbortSignal): Promise<Answer> {
    const text = await this.text(method, path, body, signal);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  async text(method: string, path: string, body?: Body, signal?: AbortSignal): Promise<string> {
    return textOf(await this.#request({ method, path, ...(signal && { signal }) }, body));
  }

  /** What a long request tells on its way, a JSON object a line. It may tell of its failure there and nowhere else. */
  async *lines<Line>(method: string, path: string, body: Body | undefined, signal: AbortSignal): AsyncGenerator<Line> {
    const response = await this.#request({ method, path, signal }, body);
    for await (const line of createInterface({ input: response })) if (line.trim() !== "") yield JSON.parse(line) as Line;
  }

  /** The streams of a container: what is written goes to its stdin; read is what it prints, in frames (see `docker-frames.ts`). */
  async attach(container: string): Promise<Duplex> {
    const path = `/containers/${container}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
    const attached = Promise.withResolvers<Duplex>();
    const asked = request({ ...this.#address(), method: "POST", path, headers: { connection: "Upgrade", upgrade: "tcp" } });
    asked.once("error", attached.reject);
    asked.once("response", (response) => void this.#refused(response, path).catch(attached.reject));
    asked.once("upgrade", (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      attached.resolve(socket);
    });
    asked.end();
    return attached.promise;
  }

  async #request(options: RequestOptions, body: Body | undefined): Promise<IncomingMessage> {
    const answered = Promise.withResolvers<IncomingMessage>();
    const headers = body === undefined ? {} : { "content-type": "json" in body ? "application/json" : "application/x-tar" };
    const asked = request({ ...this.#address(), ...options, headers }, answered.resolve);
    asked.once("error", (cause) =>
      answered.reject(new AppError("unavailable", `Docker's engine does not answer at ${this.socket}: ${cause.message}.`, { cause })),
    );
    if (body && "tarFile" in body)
      createReadStream(body.tarFile)
        .on("error", (failure) => asked.destroy(failure))
        .pipe(asked);
    else asked.end(body && ("json" in body ? JSON.stringify(body.json) : body.tar));
    const response = await answered.promise;
    if ((response.statusCode ?? 500) >= 400) await this.#refused(response, options.path ?? "");
    return response;
  }

  #address(): RequestOptions {
    return { socketPath: this.socket, host: "docker", agent: false };
  }

  async #refused(response: IncomingMessage, path: string): Promise<never> {
    const text = await textOf(response);
    const { statusCode = 500 } = response;
    const code = statusCode === 404 ? "not_found" : statusCode === 409 ? "conflict" : "unavailable";
    throw new AppError(code, `Docker refused: ${messageIn(text)}`, { statusCode, path });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text; // not every refusal is JSON; its words are what matters
  }
}
