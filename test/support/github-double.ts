import { createHash, createHmac, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { git, serveGit } from "./git-http.ts";
import { DoubleRepository, type Happening } from "./github-repository.ts";
import { answerGraphql, answerRest, issueJson, refuse, type RestReply } from "./github-routes.ts";

/** What goes wrong with the next `times` (default 1) requests whose `METHOD /path?query` matches. */
export type Fault = { readonly match?: RegExp; readonly times?: number } & (
  | { readonly kind: "status"; readonly status: number; readonly message?: string; readonly headers?: Record<string, string> }
  /** The first half of the answer, then the connection breaks (`cut`) or ends as if that were all (`short`). */
  | { readonly kind: "truncated"; readonly how: "cut" | "short" }
  /** Done, but the answer never arrives. */
  | { readonly kind: "lost_reply" }
  /** The connection breaks before anything is done. */
  | { readonly kind: "reset" }
  /** No answer until the server is closed. */
  | { readonly kind: "hang" }
);

export interface RequestLog {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly token: string | null;
  /** 0: no answer was sent. */
  readonly status: number;
}

export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly url: string;
  readonly body: string;
  readonly signature: string;
  /** Of the last try; 0: nobody answered. */
  status: number;
}

interface Token {
  readonly login: string;
  readonly repositories: ReadonlySet<string>;
  remaining: number;
  resetAt: number;
}

const HOURLY_LIMIT = 5000;

/**
 * A GitHub of our own in this process: the REST subset that Drover calls (ETag, paging, tokens, limits), one GraphQL query,
 * webhooks, and git over HTTP at `/owner/name.git`, all at one address. Also at `/api/v3`, as GitHub Enterprise has it.
 */
export class GithubDouble implements AsyncDisposable {
  readonly requests: RequestLog[] = [];
  readonly deliveries: Delivery[] = [];
  readonly #root: string;
  readonly #server: Server;
  readonly #repositories = new Map<string, DoubleRepository>();
  readonly #tokens = new Map<string, Token>();
  readonly #hooks: { readonly repository: string; readonly url: string; readonly secret: string }[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #gits = new Set<() => void>();
  readonly #now: () => number;
  #faults: (Fault & { left: number })[] = [];
  #acts: { readonly match: RegExp; readonly act: () => void }[] = [];
  #lastId = 0;

  private constructor(root: string, now: () => number) {
    this.#root = root;
    this.#now = now;
    this.#server = createServer((request, response) => {
      // A client that leaves in the middle of its own request gets no answer.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start({ now = Date.now }: { now?: () => number } = {}): Promise<GithubDouble> {
    const double = new GithubDouble(await mkdtemp(join(tmpdir(), "drover-github-")), now);
    await new Promise<void>((resolve) => double.#server.listen(0, "127.0.0.1", resolve));
    return double;
  }

  /** Of the API and of git. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A repository with one commit on `main`. `tokens`: who may use it, token to login. */
  async createRepository(
    fullName: string,
    { tokens = {}, files = { "README.md": "# Sample\n" } }: { tokens?: Record<string, string>; files?: Record<string, string> } = {},
  ): Promise<DoubleRepository> {
    const repository = new DoubleRepository(fullName, this.#root, {
      now: this.#now,
      nextId: () => ++this.#lastId,
      announce: (what) => this.#announce(what),
    });
    repository.addPerson("owner", { association: "OWNER", permission: "admin" });
    this.#repositories.set(fullName, repository);
    for (const [token, login] of Object.entries(tokens)) {
      const { repositories = new Set<string>() } = this.#tokens.get(token) ?? {};
      this.#tokens.set(token, {
        login,
        repositories: new Set([...repositories, fullName]),
        remaining: HOURLY_LIMIT,
        resetAt: this.#now() + 3_600_000,
      });
    }
    await mkdir(repository.path, { recursive: true });
    await git(repository.path, ["init", "--quiet", "--bare", "--initial-branch=main"]);
    await git(repository.path, ["config", "http.receivepack", "true"]);
    await repository.commit({ branch: "main", message: "First commit", files });
    return repository;
  }

  /** What a person would clone. */
  remote(fullName: string): string {
    return `${this.url}/${fullName}.git`;
  }

  fault(fault: Fault): void {
    this.#faults.push({ ...fault, left: fault.times ?? 1 });
  }

  /** Lets something happen once, just before the first request whose `METHOD /path?query` matches is answered. */
  before(match: RegExp, act: () => void): void {
    this.#acts.push({ match, act });
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** How many requests a token has left, and when it gets new ones. */
  setRemaining(token: string, remaining: number, resetInMs: number): void {
    const known = this.#tokens.get(token);
    if (known === undefined) throw new Error(`no such token: ${token}`);
    known.remaining = remaining;
    known.resetAt = this.#now() + resetInMs;
  }

  addWebhook(repository: string, url: string, secret: string): void {
    this.#hooks.push({ repository, url, secret });
  }

  /** Resolves when every webhook delivery so far was answered. */
  async delivered(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** The same delivery once more: same id, same bytes. */
  async redeliver(delivery: Delivery): Promise<void> {
    await this.#post(delivery);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#gits) end();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#root, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const token = readToken(request);
    const path = url.pathname.replace(/^\/api\/v3(?=\/)/, "").replace(/^\/api(?=\/graphql$)/, "");
    response.once("close", () => {
      this.requests.push({
        method: request.method ?? "",
        path: `${path}${url.search}`,
        token,
        status: response.headersSent ? response.statusCode : 0,
      });
    });
    const fault = this.#takeFault(`${request.method} ${path}${url.search}`);
    if (fault?.kind === "hang") return;
    if (fault?.kind === "reset") return void request.socket.destroy();
    if (fault?.kind === "status") return this.#send(response, refuse(fault.status, fault.message ?? "Injected", fault.headers), null);
    if (path.includes(".git/")) return this.#serveGit(request, response, path, token);
    const body = await readJson(request);
    this.#letHappen(`${request.method} ${path}${url.search}`);
    const reply = await this.#answer({ method: request.method ?? "GET", path, url, body, token });
    if (fault?.kind === "lost_reply") return void request.socket.destroy();
    if (fault?.kind === "truncated") return sendHalf(response, reply, fault.how);
    this.#send(response, reply, token, request.headers["if-none-match"]);
  }

  async #answer({
    method,
    path,
    url,
    body,
    token,
  }: {
    method: string;
    path: string;
    url: URL;
    body: Record<string, unknown>;
    token: string | null;
  }): Promise<RestReply> {
    const known = this.#tokens.get(token ?? "");
    if (known === undefined) return refuse(401, "Bad credentials");
    if (known.remaining === 0) return refuse(403, `API rate limit exceeded for user ${known.login}.`);
    if (path === "/user") return { status: 200, body: { login: known.login, id: 1, type: "User" } };
    const variables = (body["variables"] ?? {}) as Record<string, unknown>;
    const fullName =
      path === "/graphql" ? `${String(variables["owner"])}/${String(variables["repo"])}` : path.split("/").slice(2, 4).join("/");
    const repository = this.#repositories.get(fullName);
    if (repository === undefined || !known.repositories.has(fullName)) return refuse(404, "Not Found");
    if (path === "/graphql") return answerGraphql(repository, variables);
    const rest = path.slice(`/repos/${fullName}`.length);
    return answerRest({ method, path: rest, query: url.searchParams, body, login: known.login, base: this.url, repository });
  }

  #serveGit(request: IncomingMessage, response: ServerResponse, path: string, token: string | null): void {
    const fullName = path.slice(1).split(".git/")[0] ?? "";
    if (!this.#tokens.get(token ?? "")?.repositories.has(fullName)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end();
      return;
    }
    const end = serveGit(request, response, { root: this.#root, path });
    this.#gits.add(end);
    response.once("close", () => this.#gits.delete(end));
  }

  #send(response: ServerResponse, reply: RestReply, token: string | null, known?: string): void {
    const text = JSON.stringify(reply.body);
    const etag = `W/"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`;
    const isSame = reply.status === 200 && known === etag;
    // A 304 costs nothing.
    const account = this.#tokens.get(token ?? "");
    if (account !== undefined && !isSame && account.remaining > 0) account.remaining--;
    const headers = {
      "content-type": "application/json; charset=utf-8",
      date: new Date(this.#now()).toUTCString(),
      ...(reply.status === 200 && { etag }),
      ...(account && limitHeaders(account)),
      ...reply.headers,
    };
    response.writeHead(isSame ? 304 : reply.status, headers).end(isSame ? undefined : text);
  }

  #letHappen(request: string): void {
    const next = this.#acts.find((one) => one.match.test(request));
    this.#acts = this.#acts.filter((one) => one !== next);
    next?.act();
  }

  #takeFault(request: string): Fault | undefined {
    const fault = this.#faults.find((one) => one.left > 0 && (one.match === undefined || one.match.test(request)));
    if (fault !== undefined) fault.left--;
    return fault;
  }

  #announce({ event, action, repository, issue }: Happening): void {
    for (const hook of this.#hooks.filter((one) => one.repository === repository.fullName)) {
      const payload = { action, issue: issueJson({ repository, base: this.url }, issue), repository: { full_name: repository.fullName } };
      const body = JSON.stringify(payload);
      const signature = `sha256=${createHmac("sha256", hook.secret).update(body).digest("hex")}`;
      const delivery: Delivery = { id: randomUUID(), event, url: hook.url, body, signature, status: 0 };
      this.deliveries.push(delivery);
      const posting = this.#post(delivery).finally(() => this.#underWay.delete(posting));
      this.#underWay.add(posting);
    }
  }

  async #post(delivery: Delivery): Promise<void> {
    const headers = {
      "content-type": "application/json",
      "x-github-event": delivery.event,
      "x-github-delivery": delivery.id,
      "x-hub-signature-256": delivery.signature,
    };
    try {
      delivery.status = (await fetch(delivery.url, { method: "POST", headers, body: delivery.body })).status;
    } catch {
      delivery.status = 0; // like GitHub, which notes a failed delivery and does not repeat it
    }
  }
}

/** `token X`, `Bearer X`, or the password of basic authentication. */
function readToken(request: IncomingMessage): string | null {
  const [scheme = "", value = ""] = (request.headers.authorization ?? "").split(" ");
  if (value === "") return null;
  if (scheme.toLowerCase() !== "basic") return value;
  return Buffer.from(value, "base64").toString().split(":").slice(1).join(":");
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function limitHeaders({ remaining, resetAt }: Token): Record<string, string> {
  return {
    "x-ratelimit-limit": String(HOURLY_LIMIT),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(Math.ceil(resetAt / 1000)),
    "x-ratelimit-resource": "core",
  };
}

function sendHalf(response: ServerResponse, reply: RestReply, how: "cut" | "short"): void {
  const bytes = Buffer.from(JSON.stringify(reply.body));
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  response.writeHead(reply.status, { "content-type": "application/json", "content-length": how === "cut" ? bytes.length : half.length });
  response.write(half, () => (how === "cut" ? response.destroy() : response.end()));
}
