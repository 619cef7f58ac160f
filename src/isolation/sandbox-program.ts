/**
 * Held in the place of a sandboxed command: starts the sandbox with the command in it, is its way to the network, and ends
 * as it ends. Argument: the file with a SandboxPlan. The streams are the command's own, nothing is copied.
 *
 * A SIGTERM comes to the whole process group, so the command has it too, and so has bubblewrap's outer process, which dies
 * of it. That is why the end of everything inside is seen by a pipe that is open as long as there is anything.
 */
import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Server } from "node:net";
import type { Readable } from "node:stream";
import { constants } from "node:os";
import { allowList } from "./allow-list.ts";
import { createEgressProxy, join } from "./egress-proxy.ts";
import type { SandboxPlan } from "./sandbox-plan.ts";

const [, , planFile = ""] = process.argv;
const plan = JSON.parse(readFileSync(planFile, "utf8")) as SandboxPlan;
const proxy = createEgressProxy(allowList(plan.hosts), (host) => lookup(host));

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
process.exit(await run());

async function run(): Promise<number> {
  const port = plan.inside?.proxyPort ?? (await listenOutside());
  const [program, ...args] = plan.argv.map((word) => word.replaceAll("@PROXY_PORT@", String(port))) as [string, ...string[]];
  const child = spawn(program, args, {
    stdio: ["inherit", "inherit", "inherit", plan.inside ? "ipc" : "ignore", "pipe"],
    env: { ...process.env, ...proxyVariables(port) },
  });
  if (plan.inside) answerInside(child, plan.inside.ports.length + 1);
  const insideEnded = once((child.stdio[4] as Readable).resume(), "close");
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  if (signal !== null) await insideEnded;
  return code ?? 128 + constants.signals[signal ?? "SIGTERM"];
}

/** Serves the listening sockets that come from inside; once all `count` are here, the command may begin. */
function answerInside(child: ReturnType<typeof spawn>, count: number): void {
  let answered = 0;
  child.on("message", (message, server) => {
    const { port } = message as { port: number };
    answer(server as Server, port);
    answered += 1;
    if (answered === count) child.send({});
  });
}

function answer(server: Server, port: number): void {
  if (port === plan.inside?.proxyPort) {
    server.on("connection", (socket) => proxy.emit("connection", socket));
    return;
  }
  server.on("connection", (socket) => {
    const outside = connect({ host: "localhost", port, allowHalfOpen: true });
    join(socket, outside);
  });
}

async function listenOutside(): Promise<number> {
  const server = createServer((socket) => proxy.emit("connection", socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
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
