import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Clock } from "../base/clock.ts";

/** Long enough to walk to another room, short enough to be worthless in a scrollback, milliseconds. */
const LINK_MS = 5 * 60_000;
const LINKS_MAX = 20;
const PASS_MS = 30 * 24 * 3_600_000;

/**
 * How a browser gets in: a link that works once gives it a pass, a cookie that stands for the token, which itself never reaches a
 * browser. A pass is signed with the token and holds over restarts of the daemon; a new token ends all of them. Links are kept in
 * memory only. The cookie's name has the port in it, because cookies know no ports and another daemon may have its own.
 */
export class BrowserPass {
  readonly #token: string;
  readonly #clock: Clock;
  readonly #cookie: string;
  /** When each link ends, by its code, the oldest first. */
  readonly #links = new Map<string, number>();

  constructor(token: string, clock: Clock, port: number) {
    this.#token = token;
    this.#clock = clock;
    this.#cookie = `drover_${port}`;
  }

  /** The path of a link that works once. */
  createLink(): { path: string; expiresAt: number } {
    const code = randomBytes(24).toString("base64url");
    const expiresAt = this.#clock.now() + LINK_MS;
    this.#links.set(code, expiresAt);
    for (const oldest of this.#links.keys()) if (this.#links.size > LINKS_MAX) this.#links.delete(oldest);
    return { path: `/login?code=${code}`, expiresAt };
  }

  /** The `Set-Cookie` that a link's code is good for; undefined: it was used, has expired, or never was. */
  redeem(code: string): string | undefined {
    const linkExpiresAt = this.#links.get(code);
    this.#links.delete(code);
    const now = this.#clock.now();
    if (linkExpiresAt === undefined || linkExpiresAt < now) return undefined;
    const expiresAt = now + PASS_MS;
    return this.#setCookie(`${expiresAt}.${this.#sign(expiresAt)}`, PASS_MS / 1000);
  }

  /** The `Set-Cookie` that takes a browser's pass away. */
  forget(): string {
    return this.#setCookie("", 0);
  }

  isShownBy({ headers }: IncomingMessage): boolean {
    const prefix = `${this.#cookie}=`;
    const shown = headers.cookie?.split("; ").find((one) => one.startsWith(prefix));
    const [, expiresAt, signature = ""] = /^(\d{1,15})\.([\w-]+)$/.exec(shown?.slice(prefix.length) ?? "") ?? [];
    if (expiresAt === undefined || Number(expiresAt) < this.#clock.now()) return false;
    const [given, expected] = [Buffer.from(signature), Buffer.from(this.#sign(Number(expiresAt)))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #sign(expiresAt: number): string {
    return createHmac("sha256", this.#token).update(`browser pass until ${expiresAt}`).digest("base64url");
  }

  #setCookie(value: string, maxAgeSeconds: number): string {
    return `${this.#cookie}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict`;
  }
}
