import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { allowList } from "./allow-list.ts";
import { createEgressProxy, join, type OnRefused } from "./egress-proxy.ts";

/** Where connections out of a sandbox lead. */
export interface SandboxNetwork {
  /** By the proxy, to what the list allows. */
  readonly toProxy: (socket: Socket) => void;
  /** To a port of this machine's loopback. */
  readonly toPort: (socket: Socket, port: number) => void;
}

export function openNetwork(hosts: readonly string[], onRefused: OnRefused): SandboxNetwork {
  const proxy = createEgressProxy(allowList(hosts), (host) => lookup(host), onRefused);
  return {
    toProxy: (socket) => void proxy.emit("connection", socket),
    toPort: (socket, port) => join(socket, connect({ host: "localhost", port, allowHalfOpen: true })),
  };
}
