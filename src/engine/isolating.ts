import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import type { AgentConfig } from "../contract/config.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Isolation, WrapRequest } from "../isolation/isolation.ts";
import type { HeldCommand } from "../process/host.ts";
import { raiseAlert, resolveAlerts } from "../store/alerts.ts";
import { appendAudit } from "../store/audit.ts";
import type { Workspace } from "../workspace/workspaces.ts";
import type { Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";

/** Of what a project could not have an image made; one alert a project. */
const IMAGE_FAILED = "image_failed";

/** What an isolation has to know of the work that it is put around. */
export interface IsolatedWork extends Pick<Job, "project" | "config" | "isolation"> {
  /** `id` marks all its processes. */
  readonly run: Pick<Run, "id" | "agent">;
  /** `key` is what people see. */
  readonly task: Pick<Task, "key">;
  readonly agent: Pick<AgentConfig, "driver">;
}

/** Puts a run's isolation around a command. Throws `unavailable` with `details.reason` when it is not there or does not work. */
export async function isolate(
  parts: EngineParts,
  job: IsolatedWork,
  request: Pick<WrapRequest, "command" | "configDirectory" | "reach" | "terminal"> & {
    tree: Pick<Workspace, "directory" | "baseCommit">;
  },
  signal: AbortSignal,
): Promise<HeldCommand> {
  const { isolation, project, config } = job;
  const { tree, ...given } = request;
  await requireIsolation(isolation, signal);
  if (request.terminal && isolation.hasTerminal !== true) {
    const message = `Agent ${job.run.agent} is interactive: a person types in its window, and isolation ${isolation.name} has none. Set defaults.isolation to tmux.`;
    throw new AppError("unavailable", message, { reason: "isolation_missing" });
  }
  if (isolation.name === "docker" && config.docker.privileged) await auditPrivileged(parts, job);
  const source = {
    commit: tree.baseCommit,
    archive: (file: string) => parts.workspaces.archive(project, tree.baseCommit, file, signal),
  };
  try {
    const command = await isolation.wrap({ ...given, title: job.task.key, workspace: tree.directory, project, config, source }, signal);
    if (isolation.name === "docker") await parts.database.write((tx) => resolveAlerts(tx, IMAGE_FAILED, project.name));
    return command;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.details["reason"] === IMAGE_FAILED) {
      const { message } = thrown;
      await parts.database.write((tx) => raiseAlert(tx, { kind: IMAGE_FAILED, subject: project.name, message, projectId: project.id }));
    }
    throw thrown;
  }
}

/** The same for set-up and checks, where the isolation confines: they run what the agent wrote. What they keep is not the agent's to see. */
export async function isolateCheck(
  parts: EngineParts,
  job: IsolatedWork & Pick<Job, "directory">,
  command: HeldCommand,
  tree: Pick<Workspace, "directory" | "baseCommit">,
  signal: AbortSignal,
): Promise<HeldCommand> {
  if (!job.isolation.confines) return command;
  const configDirectory = join(job.directory, "checks");
  const files = { ...command.files, [join(configDirectory, "README")]: `What set-up and checks of ${job.task.key} keep for themselves.\n` };
  const request = { command: { ...command, files }, configDirectory, reach: { hosts: [], files: [], programs: [] }, terminal: false, tree };
  return isolate(parts, job, request, signal);
}

async function requireIsolation(isolation: Isolation, signal: AbortSignal): Promise<void> {
  const availability = await isolation.detect(signal);
  if (!availability.available) {
    const message = `Isolation ${isolation.name} can't be had here: ${availability.message}`;
    throw new AppError("unavailable", message, { reason: "isolation_missing" });
  }
}

async function auditPrivileged(parts: EngineParts, { task, run, agent }: IsolatedWork): Promise<void> {
  await parts.database.write((tx) =>
    appendAudit(tx, {
      actor: "daemon",
      action: "docker.privileged",
      subject: task.key,
      detail: { runId: run.id, agent: run.agent, driver: agent.driver },
    }),
  );
}
