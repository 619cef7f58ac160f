import type { CancelTimer } from "../../base/clock.ts";
import { AppError, messageOf } from "../../base/errors.ts";
import type { MessageId, RunId } from "../../contract/ids.ts";
import { messagesText } from "../../domain/message-text.ts";
import type { ChangedTables, Transaction } from "../../store/database.ts";
import { forgetMessages, getMessage, nextExpiry, overdueQueries } from "../../store/messages.ts";
import { bury, deliver, pendingMessages, receiptsOfEnded, runsWithMail } from "../../store/receipts.ts";
import { getRun } from "../../store/runs.ts";
import { agentDirectory } from "../job.ts";
import type { EngineParts } from "../parts.ts";
import { newMark } from "../prompting.ts";
import { giveUpQuery } from "./send.ts";

/** What may give it something to do. */
const WOKEN_BY = ["messages", "receipts", "tasks", "runs"] as const;

const KEPT_MS = 30 * 24 * 3_600_000;
const FORGET_AT_ONCE = 1000;

/**
 * Brings messages to agents that take them while they work; all others have them in their next prompt, or ask for them. Says of
 * those that come too late that they are dead. Whatever a crash keeps it from, the next one does: it goes by what is stored.
 */
export class Courier {
  readonly #parts: EngineParts;
  #isAwake = false;
  #underWay: Promise<void> = Promise.resolve();
  #cancelTimer: CancelTimer = () => {};
  #isStopped = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#wake();
  }

  onCommit(changed: ChangedTables): void {
    if (WOKEN_BY.some((table) => changed.has(table))) this.#wake();
  }

  /** Resolves when what was under way has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer();
    return this.#underWay;
  }

  /** Does what there is to do now. */
  async #runOnce(): Promise<void> {
    await this.#settle();
    for (const runId of runsWithMail(this.#parts.database.reader)) await this.#bring(runId);
    this.#cancelTimer();
    const expiresAt = nextExpiry(this.#parts.database.reader);
    if (expiresAt === undefined || this.#isStopped) return;
    this.#cancelTimer = this.#parts.clock.setTimer(Math.max(0, expiresAt - this.#parts.clock.now()), () => this.#wake());
  }

  /** Forgets what was settled weeks ago. */
  async forgetOld(): Promise<void> {
    const { clock, database } = this.#parts;
    await database.write((tx) => forgetMessages(tx, clock.now() - KEPT_MS, FORGET_AT_ONCE));
  }

  /** Once more when it is woken while it works. */
  #wake(): void {
    if (this.#isAwake || this.#isStopped) return;
    this.#isAwake = true;
    this.#underWay = this.#runAfter(this.#underWay);
  }

  async #runAfter(before: Promise<void>): Promise<void> {
    await before;
    this.#isAwake = false;
    try {
      await this.#runOnce();
    } catch (thrown) {
      // What it could not do is still stored: the next commit wakes it again.
      this.#parts.log.warn("messages were not brought", { error: messageOf(thrown) });
    }
  }

  async #settle(): Promise<void> {
    const { clock, database } = this.#parts;
    const isNeeded = overdueQueries(database.reader, clock.now()).length > 0 || receiptsOfEnded(database.reader).length > 0;
    if (isNeeded) await database.write(settleDead);
  }

  /** Tells a working agent what waits for it, where its driver can. */
  async #bring(runId: RunId): Promise<void> {
    const { database, drivers, host, log } = this.#parts;
    const run = getRun(database.reader, runId);
    const driver = drivers.get(run.driver);
    for (const id of pendingMessages(database.reader, run.taskId)) {
      const text = driver?.say?.(messagesText([getMessage(database.reader, id)], newMark())) ?? null;
      if (text === null) return;
      try {
        await host.send(agentDirectory(this.#parts, run), text);
      } catch (thrown) {
        // Its agent has just ended: the task's next run has it in its prompt.
        if (!(thrown instanceof AppError && thrown.code === "conflict")) throw thrown;
        log.info("a message waits for the next run", { runId, messageId: id });
        return;
      }
      await database.write((tx) => deliver(tx, id, run.taskId, runId));
    }
  }
}

/** Buries what ended tasks were to have, and queries whose time is over. */
function settleDead(tx: Transaction): void {
  const touched = new Set<MessageId>();
  for (const { messageId, recipient } of receiptsOfEnded(tx)) {
    bury(tx, messageId, recipient, "ended");
    touched.add(messageId);
  }
  for (const id of touched) if (getMessage(tx, id).receipts.every(({ state }) => state === "dead")) giveUpQuery(tx, id);
  for (const id of overdueQueries(tx, tx.now)) {
    for (const { taskId, recipient, state } of getMessage(tx, id).receipts)
      if (state !== "dead") bury(tx, id, taskId ?? recipient, state === "pending" ? "expired" : "unanswered");
    giveUpQuery(tx, id);
  }
}
