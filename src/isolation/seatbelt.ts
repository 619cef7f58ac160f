import type { SandboxSpace } from "./sandbox-space.ts";

/**
 * The same space as a profile of macOS's sandbox (sandbox-exec, SBPL): a later rule wins over an earlier one. Nothing can
 * be hidden there, only refused. Of the network, the proxy (`@PROXY_PORT@`) and these ports of the loopback.
 */
export function seatbeltProfile({ hidden, masked, readable, writable }: SandboxSpace, ports: readonly number[]): string {
  return [
    "(version 1)",
    "(allow default)",
    "(deny file-write*)",
    rule("deny file-read* file-write*", hidden, "subpath"),
    rule("deny file-read*", masked, "literal"),
    '(allow file-read-metadata (subpath "/"))',
    rule("allow file-read*", readable, "subpath"),
    rule("allow file-read* file-write*", writable, "subpath"),
    '(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (regex #"^/dev/fd/"))',
    "(deny network*)",
    `(allow network-outbound ${["@PROXY_PORT@", ...ports].map((port) => `(remote ip "localhost:${port}")`).join(" ")})`,
    '(allow network-bind network-inbound (local ip "localhost:*"))',
    "",
  ].join("\n");
}

function rule(what: string, paths: readonly string[], kind: "subpath" | "literal"): string {
  return paths.length === 0 ? "" : `(${what} ${paths.map((path) => `(${kind} ${JSON.stringify(path)})`).join(" ")})`;
}
