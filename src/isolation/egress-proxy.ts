import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { BlockList, connect, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { isLoopback, type IsAllowed } from "./allow-list.ts";

/** What a name that is allowed may not lead to: this machine, and the addresses at which clouds hand out credentials. */
const forbidden = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
] as const)
  forbidden.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["fe80::", 10],
] as const)
  forbidden.addSubnet(network, prefix, "ipv6");

/** What a name leads to. Rejects when nobody knows it. */
type Resolve = (host: string) => Promise<{ address: string; family: number }>;

/** Told of each address that the proxy does not lead to, as it was asked for. */
export type OnRefused = (url: string) => void;

/**
 * An HTTP proxy that leads to what is allowed and nowhere else: tunnels (CONNECT) and plain requests. Names are looked up
 * here, once, and what they lead to is what is connected to. A refusal says what was refused.
 */
export function createEgressProxy(isAllowed: IsAllowed, resolve: Resolve, onRefused: OnRefused): Server {
  const way = async ({ url = "" }: IncomingMessage, target: Target | undefined) => {
    const found = target && (await wayTo(target, isAllowed, resolve));
    if (found === undefined) onRefused(url);
    return found;
  };
  const server = createServer((incoming, response) => {
    void way(incoming, targetOf(incoming.url ?? "", 80)).then((found) => forward(found, incoming, response));
  });
  server.on("connect", (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on("error", () => client.destroy());
    void way(incoming, targetOf(`http://${incoming.url}`, 443)).then((found) => tunnel(found, incoming, client, head));
  });
  // A broken client is that client's matter; its socket is closed by then.
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

/** Joins two connections until both sides have ended; when one breaks, so does the other. */
export function join(one: Duplex, other: Duplex): void {
  one.pipe(other);
  other.pipe(one);
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
  one.on("close", () => other.destroy());
  other.on("close", () => one.destroy());
}

function tunnel(way: Way | undefined, { url = "" }: IncomingMessage, client: Duplex, head: Buffer): void {
  if (way === undefined) {
    client.end(`HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n${refusal(url)}`);
    return;
  }
  const remote = connect({ host: way.address, port: way.port, allowHalfOpen: true });
  remote.once("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n"));
  remote.once("connect", () => {
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) remote.write(head);
    join(client, remote);
  });
}

function forward(way: Way | undefined, incoming: IncomingMessage, response: ServerResponse): void {
  const { url = "", method = "GET", headers } = incoming;
  if (way === undefined) {
    response.writeHead(403, { "content-type": "text/plain" }).end(refusal(url));
    return;
  }
  const { "proxy-connection": _connection, "proxy-authorization": _authorization, ...kept } = headers;
  const outgoing = request({ host: way.address, port: way.port, path: way.path, method, headers: kept }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  outgoing.once("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  response.once("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}
type Way = Target & { readonly address: string };

/** Undefined: no address of a kind that we lead to. */
function targetOf(url: string, defaultPort: number): Target | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  if (protocol !== "http:") return undefined;
  return { host: hostname.replace(/^\[(.*)\]$/u, "$1"), port: Number(port) || defaultPort, path: pathname + search };
}

async function wayTo(target: Target, isAllowed: IsAllowed, resolve: Resolve): Promise<Way | undefined> {
  const { host, port } = target;
  if (!isAllowed(host, port)) return undefined;
  if (isIP(host) !== 0 || isLoopback(host)) return { ...target, address: host };
  try {
    const { address, family } = await resolve(host);
    return forbidden.check(address, family === 6 ? "ipv6" : "ipv4") ? undefined : { ...target, address };
  } catch {
    return undefined; // no such name, or nobody to ask: as good as not allowed to who wants to go there
  }
}

function refusal(url: string): string {
  return `Drover's sandbox does not lead to ${url}. What may be reached is set by sandbox.allowedHosts.\n`;
}
