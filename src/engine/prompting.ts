import { randomBytes } from "node:crypto";
import type { Run } from "../contract/run.ts";
import { listRuns } from "../store/runs.ts";
import type { PromptData } from "../workflow/prompt.ts";
import type { Workspace } from "../workspace/workspaces.ts";
import type { Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";

/** The template for going on in a session that something outside interrupted. */
const RESUME = "resume.md";

/** Writes what the agent is told: the task, or what its earlier attempt in the same session fell short of. */
export async function writePrompt(parts: EngineParts, job: Job, workspace: Workspace): Promise<string> {
  const earlier = earlierRun(parts, job);
  const knowledge = await parts.readKnowledge(job.project);
  const data: PromptData = {
    project: job.project.name,
    baseBranch: job.project.baseBranch,
    baseCommit: workspace.baseCommit,
    title: job.task.title,
    body: job.task.body,
    mark: markFor(job.task.body),
    checks: job.config.checks.map((check) => check.command),
    instructions: [job.config.prompts.instructions, knowledge.instructions].filter(Boolean).join("\n\n"),
    skills: knowledge.skills,
    language: job.config.defaults.language,
    earlier: earlier ? `${describeEnd(earlier)}${byWhom(earlier, job)}` : null,
    failure: earlier ? describeFailure(earlier) : null,
  };
  return parts.renderPrompt(templateFor(job, data), data);
}

function earlierRun(parts: EngineParts, job: Job): Run | undefined {
  if (job.run.epoch === 1) return undefined;
  const runs = listRuns(parts.database.reader, { taskId: job.task.id, limit: 2 });
  return runs.find((run) => run.id !== job.run.id && run.stage === job.stage.name);
}

function templateFor(job: Job, data: PromptData): string {
  if (job.run.resumesSessionId === null) return job.stage.prompt;
  return data.failure !== null && job.stage.followUp !== null ? job.stage.followUp : RESUME;
}

/** Letters that the text of the request does not hold, so that it can't pretend to have ended. */
function markFor(text: string): string {
  for (;;) {
    const mark = randomBytes(6).toString("hex");
    if (!text.includes(mark)) return mark;
  }
}

function byWhom({ agent }: Run, { run }: Job): string {
  return agent === run.agent ? "" : ` (it was made by another agent, ${agent}; you go on in its place)`;
}

function describeEnd({ outcome }: Run): string {
  if (!outcome) return "it was interrupted";
  if (outcome.status === "failed") return `${outcome.reason}: ${outcome.message}`;
  return outcome.status === "cancelled" ? outcome.message : outcome.status;
}

/** What our checks saw, for the agent to mend; null: they were not what ended the run. */
function describeFailure({ outcome }: Run): string | null {
  if (outcome?.status !== "failed" || outcome.reason !== "check_failed" || !outcome.proof) return null;
  return outcome.proof.checks
    .filter((check) => check.verdict === "broken")
    .map((check) =>
      [
        `$ ${check.command}  (exit code ${check.head.exitCode ?? "none: it hit its time limit"})`,
        ...check.newFailures.map((name) => `new failure: ${name}`),
        check.head.outputTail,
      ].join("\n"),
    )
    .join("\n\n");
}
