/**
 * Held in the place of a command that runs in a container: starts the container, joins its streams with ours, and ends as
 * it ends; then the container is removed. A SIGTERM is passed on to the command. Argument: the file with a DockerPlan.
 */
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { connect, createServer } from "node:net";
import { basename, dirname } from "node:path";
import { DockerEngine } from "./docker-engine.ts";
import { FrameReader } from "./docker-frames.ts";
import type { DockerPlan } from "./docker-plan.ts";
import { join } from "./egress-proxy.ts";

/** As the docker command ends when it could not run the container. */
const FAILED = 125;

const { socket, container, outOfMemory, ways } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as DockerPlan;
const engine = new DockerEngine(socket);

for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
process.on("SIGTERM", () => {
  // It may have ended just now.
  engine.text("POST", `/containers/${container}/kill?signal=SIGTERM`).catch(() => {});
});
try {
  process.exit(await run());
} catch (thrown) {
  process.stderr.write(`${(thrown as Error).message}\n`);
  process.exit(FAILED);
}

async function run(): Promise<number> {
  for (const way of ways) await open(way);
  const streams = await engine.attach(container);
  const streamsEnded = once(streams, "close");
  const reader = new FrameReader((stream, bytes) => writeAll(stream === "stdout" ? 1 : 2, bytes));
  streams.on("data", (chunk: Buffer) => reader.read(chunk));
  streams.on("error", () => streams.destroy());
  process.stdin.pipe(streams);
  const ended = engine.json<{ StatusCode: number }>("POST", `/containers/${container}/wait?condition=next-exit`);
  await engine.text("POST", `/containers/${container}/start`);
  const { StatusCode } = await ended;
  await streamsEnded;
  const { State } = await engine.json<{ State: { OOMKilled: boolean } }>("GET", `/containers/${container}/json`);
  if (State.OOMKilled) writeFileSync(outOfMemory, "");
  await engine.text("DELETE", `/containers/${container}?force=1&v=1`);
  return StatusCode;
}

/** The loopback of a container is its own; a socket in a folder is a way out of it. */
async function open({ socket, port }: DockerPlan["ways"][number]): Promise<void> {
  rmSync(socket, { force: true }); // of an earlier run
  const server = createServer({ allowHalfOpen: true }, (inside) => join(inside, connect({ host: "localhost", port, allowHalfOpen: true })));
  // The path of a socket must be short; that of its folder need not.
  process.chdir(dirname(socket));
  server.listen(basename(socket));
  await once(server, "listening");
}

/** Files take it at once; a full disk fails us here, and with us the run. */
function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}
