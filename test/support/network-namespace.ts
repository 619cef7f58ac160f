import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A network namespace with nothing in it but `lo`, and a relay on its loopback to one server of ours outside. */
export interface NetworkNamespace extends AsyncDisposable {
  /** Base URL of the server, as seen from inside. */
  readonly url: string;
  /** Put before a command, it runs inside. */
  readonly enter: readonly [string, ...string[]];
}

const relay = fileURLToPath(new URL("../programs/relay.ts", import.meta.url));

/** Root makes network namespaces directly; anybody else in a user namespace of their own, where the system allows it. */
const asRoot = process.getuid?.() === 0;
const inside = asRoot ? ["--net"] : ["--user", "--map-root-user", "--net"];
const unshareArguments = [...inside, "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];

/** Put before a command, it runs in a namespace of its own, alone with its loopback. */
export const enterNew = ["unshare", ...unshareArguments] as const;

/** Why no namespace can be made here; undefined: it can. A real agent runs in one or not at all. */
export function whyNoNamespace(): string | undefined {
  const tried = spawnSync("unshare", [...unshareArguments, "true"], { encoding: "utf8", timeout: 20_000 });
  if (tried.status === 0) return undefined;
  return `no network namespace can be made here (${tried.error?.message ?? tried.stderr.trim()})`;
}

/** @param socket the unix socket that the server listens on. */
export async function openNetworkNamespace(socket: string): Promise<NetworkNamespace> {
  const child = spawn("unshare", [...unshareArguments, process.execPath, relay, socket], { stdio: ["pipe", "pipe", "inherit"] });
  const port = await firstLine(child);
  const enter: [string, ...string[]] = ["nsenter", "-t", `${child.pid}`, ...(asRoot ? [] : ["-U", "--preserve-credentials"]), "-n", "--"];
  return {
    url: `http://127.0.0.1:${port}`,
    enter,
    async [Symbol.asyncDispose]() {
      const closed = once(child, "close");
      child.stdin?.end();
      await closed;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("The relay has no stdout.");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("The relay ended before it listened.");
}
