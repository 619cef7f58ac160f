/**
 * Held in the place of a sandboxed command: starts the sandbox with the command in it, is its way to the network, and ends
 * as it ends. Argument: the file with a SandboxPlan. The streams are the command's own, nothing is copied.
 *
 * A SIGTERM comes to the whole process group, so the command has it too, and so has bubblewrap's outer process, which dies
 * of it. That is why the end of everything inside is seen by a pipe that is open as long as there is anything.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { SandboxNetwork } from "./sandbox-network.ts";
import type { SandboxPlan } from "./sandbox-plan.ts";

const [, , planFile = ""] = process.argv;
const plan = JSON.parse(readFileSync(planFile, "utf8")) as SandboxPlan;

const REFUSALS_MAX = 100;
const REFUSAL_MAX = 300;
const refused = new Set<string>();

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
process.exit(await run());

async function run(): Promise<number> {
  const network = Promise.withResolvers<SandboxNetwork>();
  const port = plan.inside?.proxyPort ?? (await listenOutside(network.promise));
  const [program, ...args] = plan.argv.map((word) => word.replaceAll("@PROXY_PORT@", String(port))) as [string, ...string[]];
  const child = spawn(program, args, {
    stdio: ["inherit", "inherit", "inherit", plan.inside ? "ipc" : "ignore", "pipe"],
    env: { ...commandEnvironment(), ...proxyVariables(port) },
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const insideEnded = once((child.stdio[4] as Readable).resume(), "close");
  if (plan.inside) answerInside(child, plan.inside.ports.length + 1, network.promise);
  // While the sandbox is being made: the command waits for as little of ours as can be.
  const { openNetwork } = await import("./sandbox-network.ts");
  network.resolve(openNetwork(plan.hosts, noteRefusal));
  const [code, signal] = await exited;
  if (signal !== null) await insideEnded;
  return code ?? 128 + constants.signals[signal ?? "SIGTERM"];
}

/** Serves the listening sockets that come from inside; once all `count` are here, the command may begin. */
function answerInside(child: ChildProcess, count: number, network: Promise<SandboxNetwork>): void {
  let answered = 0;
  child.on("message", (message, server) => {
    const { port } = message as { port: number };
    const isProxy = port === plan.inside?.proxyPort;
    (server as Server).on("connection", (socket) =>
      lead(socket, network, (opened) => (isProxy ? opened.toProxy(socket) : opened.toPort(socket, port))),
    );
    answered += 1;
    if (answered === count) child.send({});
  });
}

async function listenOutside(network: Promise<SandboxNetwork>): Promise<number> {
  const server = createServer((socket) => lead(socket, network, (opened) => opened.toProxy(socket)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function lead(socket: Socket, network: Promise<SandboxNetwork>, to: (opened: SandboxNetwork) => void): void {
  // One that breaks this early is closed by it.
  socket.on("error", () => {});
  void network.then(to);
}

/** Each address once, and no more than anybody reads. */
function noteRefusal(url: string): void {
  const line = url.slice(0, REFUSAL_MAX);
  if (plan.refusals === null || refused.has(line) || refused.size === REFUSALS_MAX) return;
  refused.add(line);
  appendFileSync(plan.refusals, `${line}\n`, { mode: 0o600 });
}

/** Without what was given to this program alone. */
function commandEnvironment(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: cache, ...env } = process.env;
  return cache === plan.compileCache ? env : { ...env, NODE_COMPILE_CACHE: cache };
}

function proxyVariables(port: number): Record<string, string> {
  const url = `http://127.0.0.1:${port}`;
  const direct = "localhost,127.0.0.1,::1";
  return {
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    http_proxy: url,
    https_proxy: url,
    NO_PROXY: direct,
    no_proxy: direct,
    // Node.js 24 looks at these variables only then.
    NODE_USE_ENV_PROXY: "1",
  };
}
