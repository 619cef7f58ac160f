import { randomBytes } from "node:crypto";
import { safeLine } from "../base/text.ts";
import type { GateEvidence } from "../contract/gate.ts";
import type { MessageId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import { failingChecks, shownNotes } from "../domain/loop.ts";
import { messageNote, messagesText } from "../domain/message-text.ts";
import type { Transaction } from "../store/database.ts";
import { addLoopNotes, listLoopNotes } from "../store/loop-notes.ts";
import { getMessage } from "../store/messages.ts";
import { deliver, waitingMessages } from "../store/receipts.ts";
import { listRuns, stageReports } from "../store/runs.ts";
import { ownTemplate, type PromptData } from "../workflow/prompt.ts";
import type { Workspace } from "../workspace/workspaces.ts";
import type { Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import { leftToMend, passOutputs } from "./passes.ts";

/** The template for going on in a session that something outside interrupted. */
const RESUME = ownTemplate("resume");

/** What the agent is told: the task, or what its earlier attempt in the same session fell short of; and with it these messages. */
export interface Prompt {
  readonly text: string;
  readonly messages: readonly MessageId[];
}

export async function writePrompt(parts: EngineParts, job: Job, workspace: Workspace, material: PromptData["material"]): Promise<Prompt> {
  const { reader } = parts.database;
  const { stage, task, run } = job;
  const earlier = earlierRun(parts, job);
  const knowledge = await parts.readKnowledge(job.project);
  const data: PromptData = {
    project: job.project.name,
    baseBranch: job.project.baseBranch,
    baseCommit: workspace.baseCommit,
    title: job.task.title,
    body: job.task.body,
    mark: newMark(),
    checks: job.config.checks.map((check) => check.command),
    instructions: [job.config.prompts.instructions, knowledge.instructions].filter(Boolean).join("\n\n"),
    skills: knowledge.skills,
    language: job.config.defaults.language,
    earlier: earlier ? `${describeEnd(earlier)}${byWhom(earlier, job)}` : null,
    moved: describeMove(workspace),
    failure: (earlier && describeFailure(earlier, stage)) ?? leftToMend(reader, task, stage),
    attempt: run.attempt,
    iteration: stage.loop ? run.iteration : null,
    iterations: stage.loop ? stage.loop.iterations : null,
    notes: stage.loop ? shownNotes(listLoopNotes(reader, task.id, stage.name)) : [],
    outputs: outputsBefore(job, { ...stageReports(reader, task.id), ...passOutputs(reader, task, job.workflow) }),
    parameters: task.parameters,
    material,
  };
  const rendered = parts.renderPrompt(job.workflow, templateFor(job, data), data);
  const messages = waitingMessages(reader, task.id).map((id) => getMessage(reader, id));
  const text = messages.length === 0 ? rendered : `${rendered}\n${messagesText(messages, data.mark)}\n`;
  return { text, messages: messages.map(({ id }) => id) };
}

/** Stores that the run's agent is told of these. A loop's later iterations know of them by its notes. */
export function noteTold(tx: Transaction, { run, task, stage }: Job, messages: readonly MessageId[]): void {
  for (const id of messages) deliver(tx, id, task.id, run.id);
  if (!stage.loop) return;
  const { iteration } = run;
  addLoopNotes(
    tx,
    task.id,
    stage.name,
    messages.map((id) => ({ iteration, kind: "told", text: messageNote(getMessage(tx, id)) })),
  );
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

/** The reports of the stages before; of one that left none, nothing. */
function outputsBefore({ workflow, stage }: Job, reports: Readonly<Record<string, string>>): Record<string, string> {
  const before = workflow.stages.slice(0, workflow.stages.indexOf(stage));
  return Object.fromEntries(before.map(({ name }) => [name, reports[name] ?? ""]));
}

/** Letters that no text from outside can know, so that none can pretend to have ended. */
export function newMark(): string {
  return randomBytes(6).toString("hex");
}

function describeMove({ movedFrom, baseCommit, conflicts, note }: Workspace): PromptData["moved"] {
  // What a task's children came to is put onto the base that they began from.
  return movedFrom === null || movedFrom === baseCommit
    ? null
    : { from: movedFrom, conflicts: conflicts.map((path) => safeLine(path)), note };
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
function describeFailure({ outcome }: Run, stage: Job["stage"]): string | null {
  if (outcome?.status !== "failed" || outcome.reason !== "check_failed") return null;
  if (!outcome.proof) return outcome.message;
  if (outcome.proof.gate?.accepted === false) return describeGate(outcome.proof.gate);
  return failingChecks(outcome.proof.checks, stage)
    .map((check) =>
      [
        `$ ${check.command}  (exit code ${check.head.exitCode ?? "none: it hit its time limit"})`,
        ...check.newFailures.map((name) => `new failure: ${name}`),
        check.head.outputTail,
      ].join("\n"),
    )
    .join("\n\n");
}

function describeGate({ gate, findings, log }: GateEvidence): string {
  return [`The gate ${gate} refuses it:`, ...findings.map(({ rule, message }) => `- ${rule}: ${message}`), "", log].join("\n").trim();
}
