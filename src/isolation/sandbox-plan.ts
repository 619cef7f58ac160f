import { fileURLToPath } from "node:url";
import { loopbackPorts } from "./allow-list.ts";
import { bubblewrapArguments } from "./bubblewrap.ts";
import type { SandboxSpace } from "./sandbox-space.ts";
import { seatbeltProfile } from "./seatbelt.ts";

/** What the sandbox program is told, as a JSON file. */
export interface SandboxPlan {
  /** The sandbox and the command in it. `@PROXY_PORT@` stands for the port of the proxy. */
  readonly argv: readonly [string, ...string[]];
  /** Where Node.js keeps what it made of the program's own source; nothing of the command's. */
  readonly compileCache: string;
  /** Where the proxy leads: entries of an allow-list. */
  readonly hosts: readonly string[];
  /**
   * Of a sandbox with a network of its own: the port of the proxy in it, and those that lead to the same port outside. It
   * begins by handing over listening sockets for them. Null: the network is the machine's.
   */
  readonly inside: { readonly proxyPort: number; readonly ports: readonly number[] } | null;
  /** A file to which each address that the proxy does not lead to is appended, a line each; null: nobody wants to know. */
  readonly refusals: string | null;
}

const PROGRAM = fileURLToPath(new URL("sandbox-program.ts", import.meta.url));
const INSIDE = fileURLToPath(new URL("sandbox-inside.cjs", import.meta.url));

type Argv = readonly [string, ...string[]];

/** The command that carries out the plan in a file. */
export function sandboxCommand(planFile: string): Argv {
  return [process.execPath, PROGRAM, planFile];
}

/** A command in this machine's sandbox, with what the space holds and the hosts of an allow-list. `directory`: where it works; its real path. */
export function planSandbox(
  argv: Argv,
  directory: string,
  space: SandboxSpace,
  hosts: readonly string[],
): Pick<SandboxPlan, "argv" | "inside" | "hosts"> {
  const ports = loopbackPorts(hosts);
  if (process.platform === "darwin") return { argv: ["sandbox-exec", "-p", seatbeltProfile(space, ports), ...argv], inside: null, hosts };
  const proxyPort = [3128, 3129].find((port) => !ports.includes(port)) ?? 3130;
  const enter = ["/bin/sh", "-c", ENTER, "sh", process.execPath, INSIDE, [proxyPort, ...ports].join(" ")];
  return { argv: [...bubblewrapArguments(space, directory), ...enter, ...argv], inside: { proxyPort, ports }, hosts };
}

/**
 * What becomes the command: hands over the listening sockets first. Only the streams go on to the command, not the
 * descriptors that the program outside talks by.
 */
const ENTER =
  '"$1" "$2" $3 </dev/null || exit 126; shift 3; unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE PWD OLDPWD SHLVL; exec "$@" 3>&- 4>&-';
