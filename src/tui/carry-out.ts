import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError, messageOf } from "../base/errors.ts";
import type { Client } from "../client/client.ts";
import { plural } from "../words/format.ts";
import { exportText } from "./export.ts";
import type { Order } from "./order.ts";
import { Watcher } from "./watcher.ts";
import type { Action } from "./update.ts";

export interface CarryOutParts {
  readonly connect: () => Promise<Client>;
  readonly send: (action: Action) => void;
  /** Where a file goes that is named without its folder. */
  readonly cwd: string;
  /** Gives the terminal to another program until that has ended. */
  readonly showProgram: (command: readonly string[]) => Promise<void>;
  readonly quit: () => void;
}

const TITLE_MAX = 100;

/** Does what the screen wants done, and tells it what came of it. Never rejects. */
export function orderTaker(parts: CarryOutParts, signal: AbortSignal): (order: Order) => Promise<void> {
  const watcher = new Watcher(parts, signal);
  return async (order) => {
    try {
      const done = await carryOut(parts, watcher, order, signal);
      if (done !== undefined) parts.send({ type: "notice", text: done, isFailure: false });
    } catch (thrown) {
      if (signal.aborted) return;
      if (order.do === "ask") parts.send({ type: "said", said: { by: "drover", text: messageOf(thrown) } });
      else parts.send({ type: "notice", text: messageOf(thrown), isFailure: true });
    }
  };
}

/** What came of it, where a person does not see that anyway. */
async function carryOut(parts: CarryOutParts, watcher: Watcher, order: Order, signal: AbortSignal): Promise<string | undefined> {
  switch (order.do) {
    case "quit":
      parts.quit();
      return undefined;
    case "watch":
      watcher.watch(order.run);
      return undefined;
    case "unwatch":
      watcher.stop();
      return undefined;
    case "export":
      return write(parts, order);
    case "attach":
      return attach(parts, await parts.connect(), order, signal);
    case "ask":
      return ask(parts, await parts.connect(), order, signal);
    default:
      return change(await parts.connect(), order, signal);
  }
}

type Changing = Exclude<Order, { do: "quit" | "watch" | "unwatch" | "export" | "attach" | "ask" }>;

async function change(client: Client, order: Changing, signal: AbortSignal): Promise<string> {
  switch (order.do) {
    case "approve":
      await client.approveTask({ params: order, signal });
      return `${order.subject} is approved.`;
    case "cancel": {
      const { status } = await client.cancelTask({ params: order, signal });
      return status === "cancelled" ? `${order.subject} is cancelled.` : `${order.subject} is being ended; its work is saved first.`;
    }
    case "retry":
      await client.retryTask({ params: order, signal });
      return `${order.subject} is tried again.`;
    case "deny":
      await client.denyTask({ params: order, body: { message: order.message }, signal });
      return `${order.subject} is denied.`;
    case "prioritise":
      await client.changeTask({ params: order, body: { priority: order.priority }, signal });
      return `${order.subject} has priority ${order.priority}.`;
    case "answer":
      await client.answerRun({ params: order, body: { question: order.question, allow: order.allow, message: order.message }, signal });
      return `${order.subject}: ${order.allow ? "allowed" : "denied"}.`;
    case "tell":
      await client.sendToRun({ params: order, body: { text: order.text }, signal });
      return `Told the agent of ${order.subject}.`;
    case "dismiss":
      await client.dismissAlert({ params: order, signal });
      return `The alert on ${order.subject} is dismissed.`;
    case "reset":
      await client.resetCircuit({ params: order, signal });
      return `The circuit ${order.subject} is closed.`;
    case "pause":
      await client.changeQueue({ body: { paused: order.paused }, signal });
      return order.paused ? "Nothing new starts; what runs goes on." : "The queue goes on.";
    case "plan":
      return filePlan(client, order, signal);
  }
}

async function filePlan(client: Client, { project, text }: Extract<Order, { do: "plan" }>, signal: AbortSignal): Promise<string> {
  if (text === "") throw new AppError("invalid", "A plan needs to know what is wanted.");
  const [first = ""] = text.split("\n", 1);
  const body = { project, title: first.slice(0, TITLE_MAX), body: text, workflow: "plan" };
  const { key } = await client.createTask({ body, signal });
  return `Filed the plan ${key}. It asks for your approval before anything is built.`;
}

async function ask(
  { send }: CarryOutParts,
  client: Client,
  { messages }: Extract<Order, { do: "ask" }>,
  signal: AbortSignal,
): Promise<undefined> {
  const { text } = await client.chat({ body: { messages: [...messages] }, signal });
  send({ type: "said", said: { by: "model", text } });
}

async function attach(
  parts: CarryOutParts,
  client: Client,
  { run, subject }: Extract<Order, { do: "attach" }>,
  signal: AbortSignal,
): Promise<string> {
  const { command } = await client.attachToRun({ params: { run }, signal });
  await parts.showProgram(command);
  return `Back from the window of ${subject}.`;
}

async function write({ cwd }: CarryOutParts, { file, records }: Extract<Order, { do: "export" }>): Promise<string> {
  const path = resolve(cwd, file);
  // Of the person alone, and never in the place of something that is there.
  await writeFile(path, exportText(file, records), { flag: "wx", mode: 0o600 }).catch((cause: NodeJS.ErrnoException) => {
    throw new AppError(
      "invalid",
      cause.code === "EEXIST" ? `${file} is there already: name another file.` : `Cannot write ${path}: ${cause.message}`,
      { cause },
    );
  });
  return `Wrote ${plural(records.length, "record")} to ${path}.`;
}
