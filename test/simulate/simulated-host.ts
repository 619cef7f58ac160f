import { AppError } from "../../src/base/errors.ts";
import type { HeldCommand, HeldState, OutputLine, ProcessHost } from "../../src/process/host.ts";
import { isSame } from "../../src/process/process-table.ts";
import { isHosted, live } from "./agents.ts";
import type { Incarnation } from "./incarnation.ts";
import type { World, WorldProcess } from "./world.ts";

const BOOT_ID = "boot-1";

/** The process host of one incarnation, over the world's process table. */
export function simulatedHost(world: World, daemon: Incarnation): ProcessHost {
  async function start(command: HeldCommand) {
    return daemon.call("host.start", 10, () => {
      // The start was refused while it was on its way: the daemon that asked for it is dead, so nobody hears this.
      if (world.starts.has(command.directory)) throw new AppError("conflict", "this start was made impossible");
      world.starts.set(command.directory, "holder");
      return identityOf(startProcess(world, command));
    });
  }

  const settle = (directory: string) =>
    daemon.call("host.settle", 2, () => {
      if (!world.isBlind && !world.starts.has(directory)) world.starts.set(directory, "settled");
      return stateOf(world, directory);
    });

  async function waitForEnd(directory: string, signal: AbortSignal) {
    for (;;) {
      signal.throwIfAborted();
      const found = stateOf(world, directory);
      if (found.state === "exited" || found.state === "lost") return found;
      await daemon.hear(world.nextChange(signal));
    }
  }

  async function* readLines(
    directory: string,
    { from, follow, signal }: { from: number; follow: boolean; signal: AbortSignal },
  ): AsyncIterable<OutputLine> {
    let read = from;
    for (;;) {
      signal.throwIfAborted();
      const process = world.processByDirectory.get(directory);
      const next = process?.lines.find((line) => line.end > read);
      if (next) {
        read = next.end;
        yield next;
      } else if (!follow || !process?.alive) return;
      else await daemon.hear(world.nextChange(signal));
    }
  }

  const stop = (directory: string) =>
    daemon.call("host.stop", 20, () => {
      if (world.isBlind) return stateOf(world, directory);
      const process = world.processByDirectory.get(directory);
      const found = process && world.processes.get(process.pid);
      if (process && found?.alive && isSame(process, found)) {
        if (found !== process) world.fail(`a process that is not ours was signalled: ${found.pid}`);
        world.counts.kills += 1;
        world.end(process, { exitCode: null, signal: 15 });
      }
      return stateOf(world, directory);
    });

  const sweep = (isWanted: (marker: string) => boolean) =>
    daemon.call("host.sweep", 5, () => {
      const unwanted = world.isBlind ? [] : world.live.filter((process) => !isWanted(process.marker));
      for (const process of unwanted) {
        world.counts.kills += 1;
        world.end(process, { exitCode: null, signal: 9 });
      }
      return unwanted.map((process) => process.marker);
    });

  return {
    start,
    settle,
    inspect: (directory) => daemon.call("host.inspect", 2, () => stateOf(world, directory)),
    waitForEnd,
    send: (directory) => daemon.call("host.send", 1, () => requireLive(world, directory)),
    readLines,
    readErrors: () => daemon.call("host.readErrors", 1, () => ""),
    stop,
    sweep,
    survey: () => daemon.call("host.survey", 1, () => new Map()),
    measure: () => daemon.call("host.measure", 1, () => ({ memoryBytes: 0, cpuPercent: 0, runs: new Map(), isLimited: true })),
    readMemoryPressure: () => daemon.call("host.readMemoryPressure", 1, () => ({ stalledPercent: null, availableBytes: null })),
    limit: () => daemon.call("host.limit", 1, () => undefined),
    limitAll: () => daemon.call("host.limitAll", 1, () => undefined),
  };
}

function startProcess(world: World, command: HeldCommand): WorldProcess {
  const process = world.spawn({
    directory: command.directory,
    marker: command.marker,
    cwd: command.cwd,
    account: command.env["ACCOUNT"] ?? "",
  });
  world.processByDirectory.set(command.directory, process);
  world.counts.starts += 1;
  checkProcesses(world, process);
  live(world, process);
  return process;
}

/** No task is ever worked on by two processes, never are there more agents than configured, and what was done is safe: not even for a moment. */
function checkProcesses(world: World, started: WorldProcess): void {
  const live = world.live;
  const hosted = live.filter(({ account }) => isHosted(account)).length;
  if (live.length - hosted > world.agentMax) world.fail(`${live.length - hosted} agents live, ${world.agentMax} are allowed`);
  if (hosted > world.hostedMax) world.fail(`${hosted} agents share a program, ${world.hostedMax} are allowed`);
  if (live.filter((process) => process.cwd === started.cwd).length > 1) world.fail(`two agents live in ${started.cwd}`);
  const tree = [...world.trees.values()].find((one) => one.directory === started.cwd);
  if (tree && tree.saved < tree.work) world.fail(`an agent began in ${started.cwd} before the work of the last one was saved`);
}

function stateOf(world: World, directory: string): HeldState {
  if (world.isBlind) return { state: "unknown", message: "the process table can't be asked" };
  const process = world.processByDirectory.get(directory);
  if (!process) return { state: "absent" };
  if (process.exit) return { state: "exited", ...process.exit };
  const found = world.processes.get(process.pid);
  return found?.alive && isSame(process, found) ? { state: "running", identity: identityOf(process) } : { state: "lost" };
}

function identityOf(process: WorldProcess) {
  return { bootId: BOOT_ID, pid: process.pid, startTime: process.startTime };
}

function requireLive(world: World, directory: string): void {
  if (!world.processByDirectory.get(directory)?.alive) throw new AppError("conflict", "it no longer runs");
}
