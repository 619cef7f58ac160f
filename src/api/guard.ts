import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";
import type { Problem } from "../contract/routes.ts";
import { problem } from "./problem.ts";

/** Who may reach the API, as the configuration says. */
export interface SecuritySettings {
  readonly allowRemote: boolean;
  /** Web origins that may call the API from a browser; none by default. */
  readonly allowedOrigins: readonly string[];
}

const loopbackNames = ["127.0.0.1", "localhost", "[::1]"];

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Says what is wrong with where a request comes from. Against DNS rebinding: `Host` must be a name of ours, with our
 * port. Against other web pages: `Origin` absent, our own or allowed, and no `Sec-Fetch-Site` from elsewhere.
 */
export class Gate {
  readonly #origins: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;
  readonly #anyAddress: boolean;
  readonly port: number;

  constructor(listening: { host: string; port: number }, security: SecuritySettings) {
    this.#origins = new Set(security.allowedOrigins.map((origin) => new URL(origin).origin));
    this.#anyAddress = listening.host === "0.0.0.0" || listening.host === "::";
    this.#names = new Set([
      ...loopbackNames,
      bracketed(listening.host.toLowerCase()),
      ...(this.#anyAddress ? [hostname().toLowerCase()] : []),
    ]);
    this.port = listening.port;
  }

  refusal(request: IncomingMessage): Problem | undefined {
    const { host, origin } = request.headers;
    if (!this.#isOurs(host))
      return problem(403, "forbidden", "This name is not one the API answers to. Use the address that `drover status` shows.");
    if (origin !== undefined && !this.isFromTrustedPage(request)) {
      return problem(403, "forbidden", "Web pages of this origin may not call the API. `daemon.allowedOrigins` lists those that may.");
    }
    const site = request.headers["sec-fetch-site"];
    if (site !== undefined && site !== "none" && site !== "same-origin" && origin === undefined && !asksForPage(request)) {
      return problem(403, "forbidden", "Another web page may not call the API.");
    }
    return undefined;
  }

  /** Whether the page that asks has our very address, or one that is allowed; no request without `Origin` is from such a page. */
  isFromTrustedPage({ headers: { host, origin } }: IncomingMessage): boolean {
    if (origin === undefined) return false;
    return this.#origins.has(origin) || (origin.toLowerCase() === `http://${host?.toLowerCase()}` && this.#isOurs(host));
  }

  /** The CORS headers of an answer; none for a request that no allowed web page made. */
  corsHeaders(request: IncomingMessage): Record<string, string> {
    const { origin } = request.headers;
    if (origin === undefined || !this.#origins.has(origin)) return {};
    return { "access-control-allow-origin": origin, "access-control-expose-headers": "retry-after", vary: "origin" };
  }

  preflightHeaders(request: IncomingMessage): Record<string, string> {
    return {
      ...this.corsHeaders(request),
      "access-control-allow-methods": "GET, POST, PATCH, DELETE",
      "access-control-allow-headers": "authorization, content-type, last-event-id",
      "access-control-max-age": "600",
    };
  }

  #isOurs(host: string | undefined): boolean {
    const parts = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(host ?? "");
    if (!parts?.[1] || Number(parts[2] ?? 80) !== this.port) return false;
    const name = parts[1].toLowerCase();
    // An address cannot be rebound: only a name's owner decides where it leads.
    return this.#names.has(name) || (this.#anyAddress && isIP(name.replace(/^\[|\]$/g, "")) !== 0);
  }
}

export function changesSomething({ method }: IncomingMessage): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

/** Whether a browser opens one of the dashboard's addresses, by a link of wherever: the page is the same for everybody and holds no secret. */
export function asksForPage({ method, url, headers }: IncomingMessage): boolean {
  const isDocument = headers["sec-fetch-dest"] === undefined || headers["sec-fetch-dest"] === "document";
  return method === "GET" && isDocument && /\btext\/html\b/.test(headers.accept ?? "") && !/^\/(?:api|assets)\b/.test(url ?? "/");
}

/** Whether `Authorization` carries our token. Hashes of one length are compared, so the time taken tells nothing. */
export class TokenCheck {
  readonly #expected: Buffer;

  constructor(token: string) {
    this.#expected = sha256(token);
  }

  accepts(authorization: string | undefined): boolean {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    return timingSafeEqual(sha256(token ?? ""), this.#expected) && token !== undefined;
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
