import type { Octokit } from "octokit";
import type { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { AppError, messageOf } from "../../base/errors.ts";
import { silentLog } from "../../base/log.ts";
import type { ForgeProject } from "../forge.ts";
import { apiAddress } from "./address.ts";
import { serverTime, toFailure, untilReset, type Asked, type ResponseHeaders } from "./failure.ts";

export interface ClientOptions {
  readonly clock: Clock;
  /** The value of an environment variable of the daemon. */
  readonly tokens: (variable: string) => string | undefined;
  readonly fetch?: typeof fetch;
}

export interface GithubRequest<Data> {
  /** `GET /repos/{owner}/{repo}/issues`; owner and repo are filled in. */
  readonly route: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** What the answer must look like. */
  readonly answer: z.ZodType<Data>;
}

export interface Answer<Data> {
  readonly data: Data;
  readonly etag: string | null;
  /** Epoch milliseconds by the server's own clock. */
  readonly serverTime: number;
  readonly hasNextPage: boolean;
}

const REQUEST_TIMEOUT_MS = 30_000;
export const PAGE_SIZE = 100;
/** 10,000 things: more is a filter that went wrong. */
const PAGES_MAX = 100;

/**
 * Sends single requests to GitHub with a project's own token and turns every kind of failure into an `AppError`
 * (`failure.ts`). It repeats nothing and waits for nothing: who asked decides when to try again. While a limit that GitHub
 * announced is in force, nothing is sent with that token.
 */
export class GithubClient {
  readonly #clock: Clock;
  readonly #tokens: ClientOptions["tokens"];
  readonly #fetch: typeof fetch;
  readonly #octokits = new Map<string, Promise<Octokit>>();
  /** By address and token: until when GitHub wants to be left alone. */
  readonly #pausedUntil = new Map<string, number>();

  constructor({ clock, tokens, fetch: fetchOf = fetch }: ClientOptions) {
    this.#clock = clock;
    this.#tokens = tokens;
    this.#fetch = fetchOf;
  }

  async send<Data>(target: ForgeProject, request: GithubRequest<Data>, signal: AbortSignal): Promise<Answer<Data>> {
    const answer = await this.#exchange(target, request, null, signal);
    if (answer === undefined) throw new AppError("internal", "GitHub answered 304 to a request without a condition.");
    return answer;
  }

  /** Undefined: the answer is as it was when it had `etag`. */
  sendIfChanged<Data>(
    target: ForgeProject,
    request: GithubRequest<Data>,
    etag: string | null,
    signal: AbortSignal,
  ): Promise<Answer<Data> | undefined> {
    return this.#exchange(target, request, etag, signal);
  }

  /**
   * A list to its last page, with the ETag and the time of the first. Undefined: the first page is as it was when it had
   * `etag`. Not octokit's `paginate`: it takes a body that was cut short for an empty page, and that for the end of the list.
   */
  async list<Item>(
    target: ForgeProject,
    request: GithubRequest<Item[]>,
    signal: AbortSignal,
    etag: string | null = null,
  ): Promise<Answer<Item[]> | undefined> {
    const first = await this.#exchange(target, withPage(request, 1), etag, signal);
    if (first === undefined) return undefined;
    const items = [...first.data];
    let { hasNextPage } = first;
    for (let page = 2; hasNextPage; page++) {
      if (page > PAGES_MAX) throw new AppError("invalid", `${request.route} of ${target.project.name} has more than ${PAGES_MAX} pages.`);
      const next = await this.send(target, withPage(request, page), signal);
      items.push(...next.data);
      hasNextPage = next.hasNextPage;
    }
    return { ...first, data: items, hasNextPage: false };
  }

  /** The project's token. Throws `invalid` when there is none. */
  token({ project, config }: ForgeProject): string {
    const variable = config.github.tokenVariable;
    const token = this.#tokens(variable);
    if (token === undefined || token === "") {
      throw new AppError("invalid", `${project.name} has no GitHub token: set ${variable} in the daemon's environment and restart it.`);
    }
    return token;
  }

  async #exchange<Data>(
    target: ForgeProject,
    request: GithubRequest<Data>,
    etag: string | null,
    signal: AbortSignal,
  ): Promise<Answer<Data> | undefined> {
    signal.throwIfAborted();
    const { owner, repo } = repositoryOf(target);
    const address = apiAddress(target);
    const token = this.token(target);
    const parameters = { ...request.parameters, ...(request.route.includes("{owner}") && { owner, repo }) };
    const asked = describe(target, address, request.route, parameters);
    const key = `${address} ${token}`;
    this.#refuseWhilePaused(key, asked);
    const octokit = await this.#octokit(key, address, token);

    const deadline = new AbortController();
    const cancelTimer = this.#clock.setTimer(REQUEST_TIMEOUT_MS, () => deadline.abort());
    try {
      const response = await octokit.request(request.route, {
        ...parameters,
        ...(etag !== null && { headers: { "if-none-match": etag } }),
        request: { signal: AbortSignal.any([signal, deadline.signal]) },
      });
      // A body that was interrupted arrives as a shorter text, without an error.
      this.#refuseInterrupted(signal, deadline.signal, asked);
      this.#notePause(key, response.headers, undefined);
      return toAnswer(response, request, asked, this.#clock.now());
    } catch (thrown) {
      this.#refuseInterrupted(signal, deadline.signal, asked);
      if (thrown instanceof AppError) throw thrown;
      const refusal = readRefusal(thrown);
      if (refusal.status === 304 && etag !== null) return undefined;
      const failure = toFailure(refusal, asked, this.#clock.now());
      this.#notePause(key, refusal.headers ?? {}, failure);
      throw failure;
    } finally {
      cancelTimer();
    }
  }

  #refuseInterrupted(signal: AbortSignal, deadline: AbortSignal, asked: Asked): void {
    signal.throwIfAborted();
    if (deadline.aborted) {
      throw new AppError("unavailable", `${asked.host} did not answer ${asked.what} within ${REQUEST_TIMEOUT_MS / 1000} s.`, {
        asked: asked.what,
      });
    }
  }

  #refuseWhilePaused(key: string, asked: Asked): void {
    const retryAfterMs = (this.#pausedUntil.get(key) ?? 0) - this.#clock.now();
    if (retryAfterMs <= 0) return;
    throw new AppError(
      "unavailable",
      `${asked.host} wants to be left alone for another ${Math.ceil(retryAfterMs / 1000)} s (rate limit).`,
      { retryAfterMs },
    );
  }

  #notePause(key: string, headers: ResponseHeaders, failure: AppError | undefined): void {
    const now = this.#clock.now();
    const named = failure?.details["retryAfterMs"];
    if (typeof named === "number") this.#pausedUntil.set(key, now + named);
    else if (isExhausted(headers)) this.#pausedUntil.set(key, now + untilReset(headers, now));
  }

  #octokit(key: string, address: string, token: string): Promise<Octokit> {
    const known = this.#octokits.get(key);
    if (known !== undefined) return known;
    const made = makeOctokit(address, token, this.#fetch);
    this.#octokits.set(key, made);
    return made;
  }
}

/** Imported on first use: it takes 15 MB of memory, and a daemon with local projects only never needs it. */
async function makeOctokit(address: string, token: string, fetchOf: typeof fetch): Promise<Octokit> {
  const { Octokit } = await import("octokit");
  return new Octokit({
    auth: token,
    baseUrl: address,
    userAgent: "drover",
    // Both wait by a clock that is not ours, for as long as they like; limits and repeats are decided by who asks.
    throttle: { enabled: false },
    retry: { enabled: false },
    log: silentLog,
    // A redirect could carry the token's owner to another host.
    request: { fetch: fetchOf, redirect: "manual" },
  });
}

/** Throws `invalid` when the project names no repository. */
export function repositoryOf({ project }: ForgeProject): { owner: string; repo: string } {
  const [owner, repo] = project.repository?.split("/") ?? [];
  if (!owner || !repo)
    throw new AppError("invalid", `${project.name} names no repository at GitHub. Register it again with one, or use the local forge.`);
  return { owner, repo };
}

function describe({ project, config }: ForgeProject, address: string, route: string, parameters: Readonly<Record<string, unknown>>): Asked {
  return {
    what: route.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name])),
    repository: project.repository ?? "",
    tokenVariable: config.github.tokenVariable,
    host: new URL(address).host,
  };
}

function toAnswer<Data>(
  response: { status: number; headers: ResponseHeaders; data: unknown },
  request: GithubRequest<Data>,
  asked: Asked,
  now: number,
): Answer<Data> {
  if (response.status >= 300) {
    throw new AppError(
      "invalid",
      `${asked.repository} has moved (HTTP ${response.status} at ${asked.what}). Register the project again under its new name.`,
    );
  }
  const parsed = request.answer.safeParse(response.data);
  if (!parsed.success) {
    throw new AppError(
      "unavailable",
      `${asked.host} answered ${asked.what} with something else than it promises; the answer may have been cut short.`,
      {
        asked: asked.what,
        cause: parsed.error,
      },
    );
  }
  const { etag, link } = response.headers;
  return {
    data: parsed.data,
    etag: typeof etag === "string" ? etag : null,
    serverTime: serverTime(response.headers, now),
    hasNextPage: /rel="next"/.test(String(link)),
  };
}

/** GraphQL and search have limits of their own, which say nothing about the rest. */
function isExhausted(headers: ResponseHeaders): boolean {
  return String(headers["x-ratelimit-remaining"]) === "0" && (headers["x-ratelimit-resource"] ?? "core") === "core";
}

/** octokit throws `RequestError` with a status and, when an answer came, a response. Anything else is a failed connection. */
function readRefusal(thrown: unknown): { status: number; message: string; headers: ResponseHeaders | undefined } {
  const { status, response } = thrown as { status?: unknown; response?: { headers?: ResponseHeaders } };
  return { status: typeof status === "number" ? status : 0, message: messageOf(thrown), headers: response?.headers };
}

/** A page of a list, counted from 1. */
export function withPage<Item>(request: GithubRequest<Item[]>, page: number): GithubRequest<Item[]> {
  return { ...request, parameters: { ...request.parameters, per_page: PAGE_SIZE, page } };
}
