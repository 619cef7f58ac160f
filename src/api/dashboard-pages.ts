import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { BrowserPass } from "./browser-pass.ts";
import type { Exchange } from "./exchange.ts";

/** Of the pages that are no part of the bundle. */
const messageStyle =
  "body{font:16px/1.5 system-ui,sans-serif;color-scheme:light dark;max-width:30rem;margin:20vh auto;padding:0 1rem}code{font-weight:600}";

/** Only what comes from here runs or is shown, and no text becomes a script. What a script sets on an element is no inline style. */
const pageSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' 'sha256-${createHash("sha256").update(messageStyle).digest("base64")}'`,
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const pageHeaders = {
  "cache-control": "no-cache",
  "content-security-policy": pageSecurityPolicy,
  "content-type": "text/html; charset=utf-8",
  "cross-origin-opener-policy": "same-origin",
};

const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Names of the bundle's files have the hash of what is in them, so what a name stands for never changes. */
const ASSET_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * The dashboard as files: its page, which is the same for each of its addresses, and its assets. They hold no secret, so they
 * need no pass; what the page then asks of the API does. Read at each request, because the bundle may be built while we run.
 */
export class DashboardPages {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async page(): Promise<Response> {
    const html = await this.#read("index.html");
    if (html === undefined) return messagePage(503, "The dashboard is not built yet", "Type <code>drover dashboard</code> in a terminal.");
    return new Response(html, { headers: pageHeaders });
  }

  /** Undefined: there is no such file. */
  async asset(name: string, acceptsBrotli: boolean): Promise<Response | undefined> {
    const type = types[extname(name)];
    if (type === undefined || !ASSET_NAME.test(name)) return undefined;
    const packed = acceptsBrotli ? await this.#read(`assets/${name}.br`) : undefined;
    const bytes = packed ?? (await this.#read(`assets/${name}`));
    if (bytes === undefined) return undefined;
    const headers = {
      "content-type": `${type}; charset=utf-8`,
      "cache-control": "public, max-age=31536000, immutable",
      vary: "accept-encoding",
      ...(packed && { "content-encoding": "br" }),
    };
    return new Response(bytes, { headers });
  }

  async #read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return new Uint8Array(await readFile(join(this.#folder, name)));
    } catch {
      // Not built, of an earlier build, or made up: all the same to who asks.
      return undefined;
    }
  }
}

/** Takes a link's code: a pass and on to the board, or a page that says what to type. */
export function logIn(exchange: Exchange, pass: BrowserPass): Response {
  const cookie = pass.redeem(exchange.req.query("code") ?? "");
  if (cookie === undefined) {
    return messagePage(
      401,
      "This link does not work any more",
      "Each works once, for five minutes. Type <code>drover dashboard</code> for another.",
    );
  }
  // Not a redirect: the cookie is strict, and goes along only with what a page of ours asks for.
  return messagePage(200, "Welcome", 'On to <a href="/">the dashboard</a>.', { "set-cookie": cookie, refresh: "0; url=/" });
}

function messagePage(status: number, title: string, html: string, headers: Record<string, string> = {}): Response {
  const text = `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Drover</title><style>${messageStyle}</style></head>\n<body><main><h1>${title}</h1><p>${html}</p></main></body></html>\n`;
  return new Response(text, { status, headers: { ...pageHeaders, "cache-control": "no-store", ...headers } });
}
