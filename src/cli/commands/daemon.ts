import { AppError } from "../../base/errors.ts";
import { ClientError } from "../../client/client-error.ts";
import { loadConfig } from "../../config/load.ts";
import type { DaemonStatus, StopMode } from "../../contract/routes.ts";
import type { Cli } from "../cli.ts";
import { runDaemon, runningDaemon, signalDaemon, startDaemon, untilGone } from "../daemon-process.ts";
import { Ended } from "../exit-codes.ts";
import { inOneUnit, megabytes, plural } from "../../words/format.ts";
import type { DaemonFile } from "../home.ts";
import { painted, show, type Shown } from "../../words/shown.ts";

const STOP_TIMEOUT_MS = 30_000;

export interface StartOptions {
  readonly foreground?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

export interface StopOptions {
  readonly drain?: boolean;
  readonly kill?: boolean;
}

export async function start(cli: Cli, options: StartOptions): Promise<void> {
  const running = await runningDaemon(cli);
  if (running)
    throw new AppError(
      "conflict",
      `A daemon already runs in ${cli.paths.home} (pid ${running.pid}, ${running.url}). Stop it with: drover daemon stop`,
    );
  // Told here, with each line that is wrong: a daemon in the background could only say it to a file.
  loadConfig({ globalFile: cli.paths.config, env: cli.env });
  if (options.foreground) throw new Ended(await runDaemon(cli));
  const { pid, url, version, status } = await startDaemon(cli, options.timeout * 1000);
  if (cli.isJson) return cli.terminal.printJson({ pid, url, version, status });
  cli.terminal.print(show`Drover ${version} runs at ${painted("cyan", url)} (pid ${pid}).`);
  if (status === "degraded") cli.terminal.note(show`Something needs attention: drover daemon status`);
}

export async function stop(cli: Cli, options: StopOptions): Promise<void> {
  const stopped = await stopRunning(cli, options);
  if (cli.isJson) return cli.terminal.printJson({ stopped: stopped !== undefined, pid: stopped?.pid ?? null });
  cli.terminal.print(stopped ? show`The daemon has stopped (pid ${stopped.pid}).` : show`No daemon runs.`);
}

export async function restart(cli: Cli, options: StopOptions & StartOptions): Promise<void> {
  const stopped = await stopRunning(cli, options);
  if (stopped && !cli.isJson) cli.terminal.note(show`The daemon has stopped (pid ${stopped.pid}).`);
  await start(cli, { timeout: options.timeout });
}

export async function status(cli: Cli): Promise<void> {
  const client = await cli.connect();
  const daemon = await client.getDaemon({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(daemon);
  const { problems } = await client.health({ signal: cli.signal });
  cli.terminal.print(...describe(daemon), ...problems.map((problem) => show`${painted("yellow", "!")} ${problem}`));
}

/** Asks by the API, or by a signal where that does not answer, and waits until the process is gone. */
async function stopRunning(cli: Cli, options: StopOptions): Promise<DaemonFile | undefined> {
  if (options.drain && options.kill) throw new AppError("invalid", "--drain waits for the agents and --kill ends them: use one.");
  const mode: StopMode = options.drain ? "drain" : options.kill ? "kill" : "stop";
  const file = await runningDaemon(cli);
  if (file === undefined) return undefined;
  try {
    await (await cli.connect()).stopDaemon({ body: { mode }, signal: cli.signal });
  } catch (thrown) {
    if (!(thrown instanceof ClientError || thrown instanceof AppError) || cli.signal.aborted) throw thrown;
    cli.terminal.note(show`The daemon does not answer (${thrown.message}); it is asked by a signal.`);
    await signalDaemon(file, mode === "kill");
  }
  if (mode === "drain" && !cli.isJson) cli.terminal.note(show`Waiting for the agents to end. Ctrl-C stops waiting, not the daemon.`);
  await untilGone(cli, file, mode === "drain" ? null : STOP_TIMEOUT_MS);
  return file;
}

function describe(daemon: DaemonStatus): Shown[] {
  const { counts, workers, memory, totals } = daemon;
  const state = daemon.status === "ok" ? painted("green", "ok") : painted("yellow", daemon.status);
  return [
    show`${painted("bold", `Drover ${daemon.version}`)} ${state}  ${painted("cyan", daemon.url)}  pid ${daemon.pid}`,
    show`Home      ${daemon.home}`,
    show`Up        ${inOneUnit(daemon.uptimeMs)}`,
    show`Queue     ${daemon.paused ? painted("yellow", "paused, ") : ""}${counts.queued} queued, ${counts.waiting} waiting, ${counts.blocked} blocked (${daemon.strategy})`,
    show`Workers   ${workers.running} of ${workers.max} busy`,
    show`Tasks     ${totals.succeeded} succeeded, ${totals.failed} failed, ${totals.cancelled} cancelled`,
    show`Projects  ${daemon.projects}`,
    show`Memory    daemon ${megabytes(memory.daemonBytes)}, agents ${megabytes(memory.agentsBytes)}`,
    ...(daemon.pendingEffects > 0 ? [show`Publish   ${plural(daemon.pendingEffects, "effect")} to be carried out`] : []),
  ];
}
