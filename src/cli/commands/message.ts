import { AppError } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import type { Message, MessageKind, NewMessage, Receipt, Recipient, Subscription } from "../../contract/message.ts";
import type { Cli } from "../cli.ts";
import { projectName } from "../current-project.ts";
import { Ended } from "../exit-codes.ts";
import { ago } from "../../words/format.ts";
import { painted, show, type Shown } from "../../words/shown.ts";
import type { PageOptions } from "./history.ts";

/** How long the daemon is asked to wait for an answer at once, milliseconds. */
const WAIT_MS = 30_000;
const TIMED_OUT = 6;

interface ToWhom {
  readonly task?: string;
  readonly topic?: string;
  readonly all?: boolean;
  readonly person?: boolean;
  readonly project?: string;
}

export async function send(
  cli: Cli,
  kind: string,
  words: string[],
  { timeout, wait, ...to }: ToWhom & { timeout?: number; wait?: boolean },
): Promise<void> {
  const client = await cli.connect();
  const recipient = recipientOf(to);
  const project = recipient.to === "task" ? undefined : await projectName(cli, client, to.project);
  const payload = { kind, text: words.join(" "), ...(timeout !== undefined && { timeoutMs: timeout * 1000 }) };
  // Which kinds there are, and what each takes, the API says.
  const body = { recipient, payload, ...(project !== undefined && { project }) } as NewMessage;
  const sent = await client.sendMessage({ body, signal: cli.signal });
  const message = wait ? await untilClosed(cli, client, sent) : sent;
  if (cli.isJson) cli.terminal.printJson(message);
  else printMessage(cli, message);
  if (wait && message.payload.kind === "query" && message.answer === null) throw new Ended(TIMED_OUT);
}

export async function list(
  cli: Cli,
  query: PageOptions & { project?: string; task?: string; kind?: MessageKind; open?: boolean },
): Promise<void> {
  const page = await (await cli.connect()).listMessages({ query, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`No messages.`);
  for (const message of page.items) printMessage(cli, message);
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

export async function showOne(cli: Cli, named: string): Promise<void> {
  const message = await (await cli.connect()).getMessage({ params: { message: named }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(message);
  printMessage(cli, message);
  for (const receipt of message.receipts)
    cli.terminal.print(show`  ${receipt.recipient || "nobody"}: ${stateOf(receipt, cli.clock.now())}`);
}

export async function answer(cli: Cli, message: string, words: string[]): Promise<void> {
  const answered = await (await cli.connect()).answerMessage({ params: { message }, body: { text: words.join(" ") }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(answered);
  cli.terminal.print(show`Answered ${fromWhom(answered)}.`);
}

export async function dead(cli: Cli, query: PageOptions & { project?: string }): Promise<void> {
  const page = await (await cli.connect()).listDeadLetters({ query, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`No dead letters.`);
  for (const { message, recipient, reason } of page.items) {
    printMessage(cli, message);
    cli.terminal.print(show`  not for ${recipient || "anybody"}: ${painted("red", reason.replace("_", " "))}`);
  }
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

export async function replay(cli: Cli, message: string, to: ToWhom): Promise<void> {
  const client = await cli.connect();
  const replayed = await client.replayMessage({ params: { message }, body: { recipient: recipientOf(to) }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(replayed);
  printMessage(cli, replayed);
}

export async function counters(cli: Cli): Promise<void> {
  const counted = await (await cli.connect()).getMessageCounters({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(counted);
  for (const [name, value] of Object.entries(counted)) cli.terminal.print(show`${name.padEnd(10)}${value}`);
}

export async function topics(cli: Cli, query: { project?: string }): Promise<void> {
  await printTopics(cli, await (await cli.connect()).listSubscriptions({ query, signal: cli.signal }));
}

export async function subscribe(cli: Cli, task: string, topic: string): Promise<void> {
  await printTopics(cli, await (await cli.connect()).subscribe({ body: { task, topic }, signal: cli.signal }));
}

export async function unsubscribe(cli: Cli, task: string, topic: string): Promise<void> {
  await printTopics(cli, await (await cli.connect()).unsubscribe({ body: { task, topic }, signal: cli.signal }));
}

function recipientOf({ task, topic, all, person }: ToWhom): Recipient {
  const named: (Recipient | false)[] = [
    task !== undefined && { to: "task", task },
    topic !== undefined && { to: "topic", topic },
    all === true && { to: "project" },
    person === true && { to: "person" },
  ];
  const [recipient, second] = named.filter((one) => one !== false);
  if (recipient === undefined || second !== undefined)
    throw new AppError("invalid", "Say to whom, once: --task, --topic, --all or --person.");
  return recipient;
}

async function untilClosed(cli: Cli, client: Client, sent: Message): Promise<Message> {
  let message = sent;
  while (message.payload.kind === "query" && message.closedAt === null)
    message = await client.getMessage({ params: { message: sent.id }, query: { waitMs: WAIT_MS }, signal: cli.signal });
  return message;
}

function printMessage(cli: Cli, message: Message): void {
  const { id, payload, receipts, answer: answered, createdAt } = message;
  const to = receipts.map(({ recipient }) => recipient || "nobody").join(", ");
  const isOpen = payload.kind === "query" && message.closedAt === null;
  cli.terminal.print(
    show`${painted("bold", payload.kind)} ${fromWhom(message)} → ${to}  ${isOpen ? show`${painted("yellow", "wants an answer")}, ` : ""}${ago(createdAt, cli.clock.now())}  ${painted("dim", id)}`,
    show`  ${payload.text}`,
  );
  if (answered) cli.terminal.print(show`  ${painted("green", answered.by)}: ${answered.text}`);
}

function fromWhom({ sender }: Message): string {
  return sender.by === "person" ? sender.name : sender.task;
}

function stateOf({ state, reason, deliveredAt }: Receipt, now: number): Shown {
  if (state === "dead") return painted("red", (reason ?? "").replace("_", " "));
  return state === "pending" ? painted("yellow", "waits") : show`${painted("green", "delivered")} ${ago(deliveredAt ?? now, now)}`;
}

async function printTopics(cli: Cli, answered: { items: Subscription[] }): Promise<void> {
  if (cli.isJson) return cli.terminal.printJson(answered);
  if (answered.items.length === 0) return cli.terminal.print(show`Nobody subscribes to anything.`);
  await cli.terminal.printTable(
    ["PROJECT", "TOPIC", "TASK"],
    answered.items.map(({ project, topic, task }) => [show`${project}`, painted("bold", topic), show`${task}`]),
  );
}
