import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { runCommand } from "./command.ts";
import type { ListedProcess, ProcessEntry, ProcessTable } from "./process-table.ts";

/** Runs a program of the system and returns what it prints. */
type RunTool = (argv: readonly [string, ...string[]]) => Promise<string>;

/** pid, parent, group, state, processor time, start time (five words, `Thu Nov 20 16:20:51 2026`). */
const COLUMNS = "pid=,ppid=,pgid=,stat=,time=,lstart=";

/**
 * The process table of macOS, by ps(1). It tells the environment of the user's own processes only, start times to the
 * second, no processor time of children, and memory with shared files counted in.
 */
export function createMacosTable(run: RunTool): ProcessTable {
  return {
    readBootId: async () => (await run(["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"])).trim(),
    find: async (pid) => parseProcesses(await run(["/bin/ps", "-p", String(pid), "-o", COLUMNS])).at(0)?.entry,
    async list() {
      const processes = parseProcesses(await run(["/bin/ps", "-ax", "-o", COLUMNS]));
      // Second: when a pid is reused in between, a mark meets a start time that is no longer true, and nothing is signalled.
      const marks = parseMarks(await run(["/bin/ps", "-axEww", "-o", "pid=,command="]));
      return processes.map(({ entry, cpuMs }) => ({ ...entry, cpuMs, mark: marks.get(entry.pid) ?? null }));
    },
    async measureMemory(processes: readonly ProcessEntry[]) {
      if (processes.length === 0) return new Map();
      const resident = await run(["/bin/ps", "-p", processes.map(({ pid }) => pid).join(","), "-o", "pid=,rss="]);
      return new Map(
        resident.split("\n").flatMap((line) => {
          const [pid, kibibytes] = line.trim().split(/\s+/u).map(Number);
          return pid && kibibytes !== undefined ? [[pid, kibibytes * 1024]] : [];
        }),
      );
    },
  };
}

/** Runs ps and sysctl; both end at once. */
export function systemTool(clock: Clock): RunTool {
  return async (argv) => {
    const signal = new AbortController().signal;
    const { exitCode, stdout, stderr } = await runCommand(argv, {
      cwd: "/",
      env: { LC_ALL: "C" },
      timeoutMs: 10_000,
      maxOutputBytes: 64 * 2 ** 20,
      clock,
      signal,
    });
    // ps exits with 1 and says nothing when no process has the pid.
    if (exitCode > 1 || stderr !== "") throw new AppError("unavailable", `${argv[0]} failed: ${stderr.trim()}`, { argv, exitCode });
    return stdout;
  };
}

function parseProcesses(text: string): { entry: ProcessEntry; cpuMs: number }[] {
  const processes = [];
  for (const line of text.split("\n")) {
    const [pid, parent, group, state = "Z", time = "", ...start] = line.trim().split(/\s+/u);
    if (state.startsWith("Z")) continue;
    const entry = { pid: Number(pid), startTime: start.join(" "), parent: Number(parent), group: Number(group) };
    processes.push({ entry, cpuMs: Math.round(secondsOf(time) * 1000) });
  }
  return processes;
}

/** `123:04.56` or `1:02:03.45`. */
function secondsOf(time: string): number {
  return time.split(":").reduce((seconds, part) => seconds * 60 + Number(part), 0);
}

/** Lines of pid, command line and environment; the last value of a name is the environment's. */
function parseMarks(text: string): Map<number, NonNullable<ListedProcess["mark"]>> {
  const marks = new Map<number, NonNullable<ListedProcess["mark"]>>();
  for (const line of text.split("\n")) {
    const scope = [...line.matchAll(/ DROVER_SCOPE=(\S+)/gu)].at(-1)?.[1];
    const marker = [...line.matchAll(/ DROVER_RUN=(\S+)/gu)].at(-1)?.[1];
    if (scope && marker) marks.set(Number.parseInt(line, 10), { scope, marker });
  }
  return marks;
}
