import { messageOf } from "../base/errors.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { Run, RunOutcome, RunState } from "../contract/run.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { appendEvent } from "../store/events.ts";
import { listProjects, listUnregistered } from "../store/projects.ts";
import { getRun, openRunIds } from "../store/runs.ts";
import { getTask } from "../store/tasks.ts";
import { recordRun } from "../store/transitions.ts";
import { howLost } from "./agent-turn.ts";
import { endRun } from "./ending.ts";
import type { HookIntake } from "./hook-intake.ts";
import { agentDirectory, recordDaemonHooks, findIsolation } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import type { RunPool } from "./run-pool.ts";

/** What reconciling needs besides the engine's parts. */
export interface ReconcileParts extends EngineParts {
  readonly hooks: HookIntake;
  /** Whether a marker is that of checks that no run does. */
  readonly isCheck: (marker: string) => boolean;
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * Makes our rows agree with what exists: takes up the open runs that nobody carries, and ends the processes and removes
 * the workspaces that no row wants. Run at start, and on the slow tick as the safety net; nothing is concluded from time
 * alone: the process table is asked, and where it can't be asked nothing changes.
 */
export async function reconcile(parts: ReconcileParts, pool: RunPool, { boot }: { boot: boolean }): Promise<void> {
  const { reader } = parts.database;
  const left = openRunIds(reader)
    .filter((id) => !pool.has(id))
    .map((id) => getRun(reader, id));
  // Side by side, for there are no more of them than agents may run at once; each to its end, whatever becomes of another.
  const taken = await Promise.allSettled(left.map((run) => takeUp(parts, pool, run, boot)));
  for (const one of taken) if (one.status === "rejected") throw one.reason as Error;
  const open = new Set<string>(openRunIds(reader));
  const isWanted = (marker: string) => open.has(marker) || parts.isCheck(marker);
  const ended = await parts.host.sweep(isWanted);
  if (ended.length > 0) parts.log.warn("ended processes of runs that are over", { runIds: ended });
  for (const isolation of parts.isolations.values()) await sweepIsolation(parts, isolation, isWanted);
}

async function sweepIsolation({ log }: EngineParts, isolation: Isolation, isWanted: (marker: string) => boolean): Promise<void> {
  try {
    const ended = await isolation.sweep(isWanted);
    if (ended.length > 0) log.warn("ended what an isolation kept of runs that are over", { isolation: isolation.name, runIds: ended });
  } catch (thrown) {
    // The next tick asks again; no run of another isolation has to wait for this one to answer.
    log.warn("an isolation could not be swept", { isolation: isolation.name, error: messageOf(thrown) });
  }
}

/** Removes the workspaces that no task needs any more. Failed tasks keep theirs for the configured days. */
export async function removeOldWorkspaces({ clock, database, settings, workspaces }: EngineParts): Promise<number> {
  const { reader } = database;
  const projects = listProjects(reader);
  const own = new Map(projects.map((project) => [project.id, settings.forProject(project)]));
  // The file of a project that was unregistered counts no more.
  const keepMs = (projectId: ProjectId) => (own.get(projectId) ?? settings.current()).defaults.keepFailedDays * DAY_MS;
  return workspaces.sweep(projects, listUnregistered(reader), (taskId) => {
    const task = getTask(reader, taskId as `task_${string}`);
    if (task.status === "succeeded" || task.status === "cancelled") return false;
    return task.status !== "failed" || clock.now() < (task.finishedAt ?? 0) + keepMs(task.projectId);
  });
}

async function takeUp(parts: ReconcileParts, pool: RunPool, run: Run, boot: boolean): Promise<void> {
  const found = await parts.host.settle(agentDirectory(parts, run));
  const { hooks } = parts;
  const log = parts.log.child({ runId: run.id, taskId: run.taskId, state: found.state });
  switch (found.state) {
    case "unknown":
      log.warn("can't tell what became of a run; it is asked again at the next tick", { why: found.message });
      return;
    case "running":
    case "exited":
      await parts.database.write((tx) => {
        const about = { projectId: run.projectId, taskId: run.taskId, runId: run.id };
        const adopted = { type: "run.adopted", ...about, data: { progress: run.progress } } as const;
        appendEvent(tx, adopted);
        recordDaemonHooks(tx, run, [adopted], parts.drivers.get(run.driver));
      });
      log.info("run adopted", { progress: run.progress });
      pool.begin(run, true);
      return;
    case "absent":
    case "lost":
      log.warn("run cut short", { progress: run.progress });
      await saveWork(parts, run);
      await parts.host.stop(agentDirectory(parts, run), { marker: run.id, graceMs: 0 });
      await findIsolation(parts, run.isolation).release(run.id);
      await hooks.takeIn(run);
      await recordCrash(parts, run, found.state);
      await endRun(parts, run, cutShort(parts, run, found.state, boot));
  }
}

/** Nobody was there to see how an agent that is lost ended. */
async function recordCrash(parts: EngineParts, run: Run, found: "absent" | "lost"): Promise<void> {
  if (found === "absent") return;
  const evidence = ["its process is gone and left no exit status"];
  const state: RunState = { state: "crashed", since: parts.clock.now(), confidence: 1, evidence };
  const about = { projectId: run.projectId, taskId: run.taskId, runId: run.id };
  const { reason } = howLost(parts.database.reader, run);
  const ended = { type: "run.agent_ended", ...about, data: { exitCode: null, reason } } as const;
  const changed = {
    type: "run.state_changed",
    ...about,
    data: { from: run.state?.state ?? null, to: "crashed", confidence: 1, evidence },
  } as const;
  await parts.database.write((tx) => {
    if (recordRun(tx, run, { state }, [ended, changed])) recordDaemonHooks(tx, run, [ended, changed], parts.drivers.get(run.driver));
  });
}

/** What was there when the daemon or the machine went down is not an attempt of the task. */
function cutShort(parts: ReconcileParts, run: Run, state: "absent" | "lost", boot: boolean): RunOutcome {
  if (state === "absent" || boot) {
    return { status: "cancelled", by: "shutdown", message: "It was cut short by a stop of the daemon or the machine; the work is saved." };
  }
  return { status: "failed", ...howLost(parts.database.reader, run), proof: null, retryAt: null };
}

async function saveWork(parts: EngineParts, run: Run): Promise<void> {
  const project = listProjects(parts.database.reader).find((one) => one.id === run.projectId);
  if (!project) return;
  try {
    await parts.workspaces.checkpoint(project, getTask(parts.database.reader, run.taskId), "restart", parts.clock.now());
  } catch (thrown) {
    // The workspace stays as it is and is never removed unsaved; the next run works in it.
    parts.log.error("work not saved", { runId: run.id, error: messageOf(thrown) });
  }
}
