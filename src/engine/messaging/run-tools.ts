import { createHash } from "node:crypto";
import { z } from "zod";
import { AppError } from "../../base/errors.ts";
import { safeLine, safeText } from "../../base/text.ts";
import { NewMessage, type Message, type MessagePayload, type Recipient } from "../../contract/message.ts";
import type { Run } from "../../contract/run.ts";
import type { RunToolCall } from "../../contract/run-tools.ts";
import { endedStatuses, TaskStatus } from "../../contract/task.ts";
import { answerText, fenced, messagesText } from "../../domain/message-text.ts";
import { workflowOf } from "../../domain/task-mode.ts";
import { appendAudit } from "../../store/audit.ts";
import { isOpen } from "../../store/broker.ts";
import type { Transaction } from "../../store/database.ts";
import { addLoopNotes } from "../../store/loop-notes.ts";
import { getMessage } from "../../store/messages.ts";
import { getProject } from "../../store/projects.ts";
import { deliver, pendingMessages } from "../../store/receipts.ts";
import { subscribe } from "../../store/subscriptions.ts";
import { findTask, getTask, insertTask, listTasks } from "../../store/tasks.ts";
import { countFiled, filedKey, takeToolCall } from "../../store/tool-calls.ts";
import { recordRun } from "../../store/transitions.ts";
import type { EngineParts } from "../parts.ts";
import { newMark } from "../prompting.ts";
import { untilAnswered } from "./answers.ts";
import { answerMessage, sendMessage } from "./send.ts";

/** So often the agent of one run may call, and so many tasks those of one task may file. */
const CALLS_MAX = 500;
const FILED_MAX = 10;
const SHOWN_TASKS_MAX = 100;
/** What is given to closing a query whose time is over, milliseconds. */
const CLOSING_MS = 5000;

const OPEN = TaskStatus.options.filter((status) => !(endedStatuses as readonly TaskStatus[]).includes(status));

/**
 * Does what the agent of a run asks for by a tool, and says for the agent what came of it, with the messages that wait for its task. Throws
 * `conflict` when the run has ended, and `invalid`, `not_found` or `conflict` for what it may not do.
 */
export async function useRunTool(parts: EngineParts, run: Run, call: RunToolCall, signal: AbortSignal): Promise<string> {
  const taken = await parts.database.write((tx) => takeToolCall(tx, run, CALLS_MAX));
  if (taken === "ended") throw ended(run);
  if (taken === "used_up") throw new AppError("conflict", `This run has called ${CALLS_MAX} times, which is all it may. Go on without.`);
  const said = call.tool === "ask" ? await ask(parts, run, call.input, signal) : await act(parts, run, call);
  return [said, await takeMail(parts, run)].filter((text) => text !== "").join("\n\n");
}

async function ask(
  parts: EngineParts,
  run: Run,
  input: Extract<RunToolCall, { tool: "ask" }>["input"],
  signal: AbortSignal,
): Promise<string> {
  const timeoutMs = input.waitSeconds * 1000;
  const payload = { kind: "query", text: input.text, timeoutMs } as const;
  const asked = await parts.database.write((tx) => send(parts, tx, run, recipientOf(input.to), payload));
  const { answer, receipts } = await untilAnswered(parts, asked.id, timeoutMs + CLOSING_MS, signal);
  if (answer) return answerText(answer, newMark());
  const reasons = new Set(receipts.map(({ reason }) => reason));
  return `Nobody answered ${asked.id} (${[...reasons].join(", ")}). Go on with your best guess.`;
}

/** In one transaction, in which the run is known to be open. */
function act(parts: EngineParts, run: Run, call: Exclude<RunToolCall, { tool: "ask" }>): Promise<string> {
  return parts.database.write((tx) => {
    // It may have ended since it was counted.
    if (!isOpen(tx, run)) throw ended(run);
    switch (call.tool) {
      case "share":
        return described(send(parts, tx, run, recipientOf(call.input.to), { kind: "share", text: call.input.text }));
      case "alert":
        return described(send(parts, tx, run, { to: "person" }, { kind: "alert", text: call.input.text }));
      case "answer":
        return answer(parts, tx, run, call.input);
      case "subscribe":
        subscribe(tx, { projectId: run.projectId, topic: call.input.topic, taskId: run.taskId });
        return `What is shared with ${call.input.topic} reaches this task from now on.`;
      case "report":
        return report(parts, tx, run, call.input.text);
      case "file_task":
        return fileDraft(parts, tx, run, call.input);
      case "list_tasks":
        return listOpen(tx, run);
      case "inbox":
        return "";
    }
  });
}

function send(parts: EngineParts, tx: Transaction, run: Run, recipient: Recipient, payload: MessagePayload): Message {
  // Of other projects it learns nothing, not even what there is.
  if (recipient.to === "task" && findTask(tx, recipient.task)?.projectId !== run.projectId)
    throw new AppError("not_found", `There is no task ${safeLine(recipient.task)} in this project. See: list_tasks`);
  const message = NewMessage.safeParse({ project: getProject(tx, run.projectId).name, recipient, payload });
  if (!message.success) throw new AppError("invalid", `That can't be sent: ${z.prettifyError(message.error)}`);
  const sender = { by: "run", runId: run.id, task: run.taskKey } as const;
  return sendMessage(parts, tx, { ...message.data, sender, projectId: run.projectId });
}

/** `all`, `person`, `topic:schema`, `api#3` */
function recipientOf(name: string): Recipient {
  if (name === "all") return { to: "project" };
  if (name === "person") return { to: "person" };
  return name.startsWith("topic:") ? { to: "topic", topic: name.slice("topic:".length) } : { to: "task", task: name };
}

function described({ receipts }: Message): string {
  const dead = receipts.filter(({ state }) => state === "dead");
  if (dead.length < receipts.length)
    return `Sent to ${receipts.flatMap(({ state, recipient }) => (state === "dead" ? [] : [recipient])).join(", ")}.`;
  return `Nobody gets it (${dead.map(({ reason }) => reason).join(", ")}).`;
}

function answer(parts: EngineParts, tx: Transaction, run: Run, { message: id, text }: { message: string; text: string }): string {
  const message = getMessage(tx, id);
  if (!message.receipts.some(({ taskId, state }) => taskId === run.taskId && state !== "dead"))
    throw new AppError("not_found", `${id} is no message for this task.`);
  answerMessage(parts, tx, message.id, { text, by: run.taskKey });
  return "Answered.";
}

function report({ redact }: EngineParts, tx: Transaction, run: Run, said: string): string {
  const text = redact(safeText(said));
  addLoopNotes(tx, run.taskId, run.stage, [{ iteration: run.iteration, kind: "report", text }]);
  const about = { projectId: run.projectId, taskId: run.taskId, runId: run.id };
  recordRun(tx, run, {}, [{ type: "run.reported", ...about, data: { text } }]);
  return "Noted.";
}

/** The same draft twice is one. */
function fileDraft(parts: EngineParts, tx: Transaction, run: Run, draft: { title: string; body: string }): string {
  const [title, body] = [draft.title, draft.body].map((text) => parts.redact(safeText(text))) as [string, string];
  const from = getTask(tx, run.taskId);
  const { workflow } = parts.workflows.inForce(run.projectId, workflowOf("execute"));
  const { defaults } = parts.settings.forProject(getProject(tx, run.projectId));
  const hash = createHash("sha256")
    .update(JSON.stringify([title, body]))
    .digest("hex");
  const { task, created } = insertTask(tx, {
    projectId: run.projectId,
    title,
    body,
    source: { kind: "task", key: `${filedKey(run.taskId)}${hash}`, issue: null, url: null, actor: from.key },
    workflow: workflow.name,
    stage: workflow.stages[0]?.name ?? "",
    delivery: defaults.delivery,
    priority: from.priority,
    deadlineAt: null,
    dependsOn: [],
    parentId: null,
    attemptMax: defaults.retryAttempts,
    draft: true,
  });
  if (!created) return `${task.key} is filed already.`;
  if (countFiled(tx, run.taskId) > FILED_MAX)
    throw new AppError("conflict", `This task has filed ${FILED_MAX} tasks, which is all it may.`);
  appendAudit(tx, { actor: `agent:${run.agent}`, action: "task.file_draft", subject: task.key, detail: { runId: run.id, from: from.key } });
  return `Filed as ${task.key}, a draft. A person decides whether it is wanted.`;
}

function listOpen(tx: Transaction, { projectId, taskKey }: Run): string {
  const open = OPEN.flatMap((status) => listTasks(tx, { projectId, status, limit: SHOWN_TASKS_MAX })).slice(0, SHOWN_TASKS_MAX);
  const lines = open.map(({ key, status, title }) => `${key} ${status}${key === taskKey ? " (this one)" : ""}: ${safeLine(title)}`);
  return fenced("tasks", lines.join("\n"), newMark());
}

/** What waits for the task, which its agent has from now on. */
async function takeMail({ database }: EngineParts, run: Run): Promise<string> {
  if (pendingMessages(database.reader, run.taskId).length === 0) return "";
  const taken = await database.write((tx) => pendingMessages(tx, run.taskId).filter((id) => deliver(tx, id, run.taskId, run.id)));
  return taken.length === 0
    ? ""
    : messagesText(
        taken.map((id) => getMessage(database.reader, id)),
        newMark(),
      );
}

function ended({ id }: Run): AppError {
  return new AppError("conflict", `Run ${id} has ended: nobody speaks for it any more.`);
}
