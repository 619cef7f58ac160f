import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sleep } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Finding } from "../contract/doctor.ts";
import type { Health } from "../contract/routes.ts";
import type { Cli } from "./cli.ts";
import { readDaemonFile, type DaemonFile } from "./home.ts";

const POLL_MS = 50;
const daemonProgram = fileURLToPath(new URL("../daemon/main.ts", import.meta.url));
const doctorProgram = fileURLToPath(new URL("../daemon/doctor/main.ts", import.meta.url));
const offlineProgram = fileURLToPath(new URL("../daemon/offline.ts", import.meta.url));

/** The daemon that wrote its file and still is the process it was then; undefined: none runs. */
export async function runningDaemon(cli: Cli): Promise<DaemonFile | undefined> {
  const file = readDaemonFile(cli.paths);
  return file && (await startTimeOf(file.pid)) === file.startTime ? file : undefined;
}

/**
 * Starts a daemon that outlives us, and waits until it answers. Throws what the daemon said when it ended instead, and
 * `timeout` when it is not up by then; it is left to go on.
 */
export async function startDaemon(cli: Cli, timeoutMs: number): Promise<DaemonFile & { status: Health["status"] }> {
  mkdirSync(cli.paths.logs, { recursive: true, mode: 0o700 });
  const output = openOutput(cli);
  const child = spawn(process.execPath, [daemonProgram], {
    detached: true,
    stdio: ["ignore", output.descriptor, output.descriptor],
    env: daemonEnvironment(cli),
    cwd: cli.paths.home,
  });
  try {
    return await untilHealthy(cli, child, output, timeoutMs);
  } finally {
    closeSync(output.descriptor);
    child.unref();
  }
}

/** Runs the daemon as part of this command, until it ends. Returns its exit status. An interrupt is for the daemon. */
export async function runDaemon(cli: Cli): Promise<number> {
  mkdirSync(cli.paths.home, { recursive: true, mode: 0o700 });
  const child = spawn(process.execPath, [daemonProgram], { stdio: "inherit", env: daemonEnvironment(cli), cwd: cli.paths.home });
  // A terminal sends SIGINT to the daemon itself; the others only reach us.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const [code] = await ended(child);
  return code ?? 1;
}

/**
 * Asks the daemon's process to end, when it still is that process: to stop, or with `isKill` to end its agents too, which
 * it does at a second signal. Two of one kind could arrive as one. The API is the better way where it answers.
 */
export async function signalDaemon(file: DaemonFile, isKill: boolean): Promise<void> {
  if ((await startTimeOf(file.pid)) !== file.startTime) return;
  for (const signal of isKill ? (["SIGTERM", "SIGINT"] as const) : (["SIGTERM"] as const)) process.kill(file.pid, signal);
}

/** Resolves when the daemon's process is gone. Throws `timeout` when it is not in time; null waits as long as it takes. */
export async function untilGone(cli: Cli, file: DaemonFile, timeoutMs: number | null): Promise<void> {
  const startedAt = cli.clock.elapsed();
  while ((await startTimeOf(file.pid)) === file.startTime) {
    if (timeoutMs !== null && cli.clock.elapsed() - startedAt > timeoutMs) {
      throw new AppError(
        "timeout",
        `The daemon (pid ${file.pid}) still runs. Try again with --kill, which ends its agents too; their work is saved.`,
      );
    }
    await sleep(cli.clock, POLL_MS, cli.signal);
  }
}

/** Runs one verb on the database of a daemon that does not run, and returns what it answers. */
export async function runOffline(cli: Cli, verb: "backup" | "verify"): Promise<unknown> {
  return JSON.parse(await outputOf(cli, [offlineProgram, verb], `The database of ${cli.paths.home} cannot be read.`));
}

/** Looks at everything that Drover needs, whether a daemon runs or not. */
export async function examine(cli: Cli): Promise<Finding[]> {
  return JSON.parse(await outputOf(cli, [doctorProgram], "The machine could not be looked at.")) as Finding[];
}

/** What a program of the daemon's side prints. Throws `unavailable` with its words, or these, when it fails. */
async function outputOf(cli: Cli, program: readonly string[], otherwise: string): Promise<string> {
  const child = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "pipe"], env: daemonEnvironment(cli) });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
  if (code !== 0) throw new AppError("unavailable", ownWords(err) || otherwise);
  return out;
}

/** Where a daemon says why it could not start. */
interface Output {
  readonly path: string;
  readonly descriptor: number;
}

/** A file of this start's own, put in the place of the last one's: of two starts at once neither writes into the other's. */
function openOutput(cli: Cli): Output {
  const path = join(cli.paths.logs, "daemon.out");
  const own = `${path}.${process.pid}`;
  const descriptor = openSync(own, "w+", 0o600);
  renameSync(own, path);
  return { path, descriptor };
}

async function untilHealthy(
  cli: Cli,
  child: ChildProcess,
  output: Output,
  timeoutMs: number,
): Promise<DaemonFile & { status: Health["status"] }> {
  const over = ended(child);
  // Told below, or of no interest any more once the daemon answers.
  over.catch(() => undefined);
  const startedAt = cli.clock.elapsed();
  while (cli.clock.elapsed() - startedAt < timeoutMs) {
    if (child.exitCode !== null || child.signalCode !== null) throw didNotStart(child, output);
    const file = readDaemonFile(cli.paths);
    const status = file !== undefined && file.pid === child.pid ? await healthOf(file.url) : undefined;
    if (file !== undefined && (status === "ok" || status === "degraded")) return { ...file, status };
    await Promise.race([over, sleep(cli.clock, POLL_MS, cli.signal)]);
  }
  throw new AppError(
    "timeout",
    `The daemon (pid ${child.pid}) is not up after ${timeoutMs / 1000} s. See ${output.path}, or wait longer with --timeout.`,
  );
}

function didNotStart(child: ChildProcess, { path, descriptor }: Output): AppError {
  const how = child.signalCode ?? `exit status ${child.exitCode}`;
  return new AppError("unavailable", ownWords(readWhole(descriptor)) || `The daemon ended at its start (${how}). See ${path}.`);
}

/** From the beginning, wherever the writer is, who has the same position in the file as we. */
function readWhole(descriptor: number): string {
  const buffer = Buffer.alloc(fstatSync(descriptor).size);
  return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
}

/** What a program of ours said last, `drover: ...`, with what follows it; a stack stays in the file. */
function ownWords(output: string): string {
  const said = output.split(/^drover: /m).at(-1) ?? "";
  return output.includes("drover: ") ? (said.split(/\n\s+at /)[0] ?? "").trim() : "";
}

async function healthOf(url: string): Promise<Health["status"] | undefined> {
  try {
    return ((await (await fetch(new URL("/health", url))).json()) as Health).status;
  } catch {
    // It wrote its file and does not listen yet, or it is on its way down.
    return undefined;
  }
}

function daemonEnvironment(cli: Cli): Record<string, string | undefined> {
  return { ...cli.env, DROVER_HOME: cli.paths.home };
}

async function ended(child: ChildProcess): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  return (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
}

/** The start time of a process that runs, as the daemon's file has it, which tells it from a later one with the same pid. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return startTimeByPs(pid);
  try {
    // Field 22 of proc_pid_stat(5); the name before the last `)` is field 2 and may hold anything.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not asked yet how.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    // There is no such process.
    return undefined;
  }
}

async function startTimeByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("/bin/ps", ["-p", String(pid), "-o", "stat=,lstart="], { env: { LC_ALL: "C" } });
    const [state = "Z", ...start] = stdout.trim().split(/\s+/);
    return state.startsWith("Z") ? undefined : start.join(" ");
  } catch {
    // ps exits with 1 when there is no such process.
    return undefined;
  }
}
