import { sleep, type Clock } from "../base/clock.ts";
import { AppError, messageOf, toAppError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Redact } from "../base/redact.ts";
import type { ChannelConfig, Config } from "../contract/config.ts";
import type { ChannelStatus, NoticeContent } from "../contract/notice.ts";
import { retryDelay } from "../domain/backoff.ts";
import { throttle, throttleBegin } from "../domain/throttle.ts";
import { alertsOf } from "../store/alerts.ts";
import { listChannels, setChannels } from "../store/channels.ts";
import type { Database, Transaction } from "../store/database.ts";
import {
  completeNotice,
  countAlerts,
  dueNotices,
  failNotice,
  fixContent,
  holdBackOthers,
  lastNotice,
  nextNoticeAt,
  putOffNotice,
  sentSince,
  type Notice,
} from "../store/notices.ts";
import { Outbox } from "../store/outbox.ts";
import { findProject } from "../store/projects.ts";
import { createChannel, type ChannelSurroundings } from "./registry.ts";

export interface TellerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly database: Database;
  readonly redact: Redact;
  readonly settings: { current(): Pick<Config, "alerts">; secret(variable: string): string | undefined };
  readonly desktopEnvironment: ChannelSurroundings["desktopEnvironment"];
}

/** A notice names so many of its alerts. */
const SHOWN_MAX = 5;
/** A notice is tried again after this, doubled each time, milliseconds. */
const RETRY_BASE_MS = 5000;
/** So often one that its channel refuses is tried: some ten minutes to put right what is wrong. */
const REFUSALS_MAX = 8;
/** An outage is waited for so long; what is older has been seen, or nobody looks. */
const OUTAGE_MAX_MS = 24 * 3_600_000;
/** From this failure in a row on a channel counts as one that fails. */
const FAILING_FROM = 3;

/**
 * Tells channels of alerts: carries out the stored notices, in order within a channel, each channel for itself. What goes
 * wrong shows in the log, in the channel's status and in the daemon's problems, and never becomes an alert, which would have
 * to be told in turn.
 */
export class Teller {
  readonly #parts: TellerParts;
  readonly #outbox: Outbox<Notice>;

  constructor(parts: TellerParts) {
    this.#parts = parts;
    this.#outbox = new Outbox(parts, {
      table: "notices",
      newest: lastNotice,
      // Without its channel a notice is dropped as soon as the changed settings are noted.
      due: (reader, now, busy) =>
        dueNotices(reader, now).filter(({ channel }) => !busy.includes(channel) && this.#configOf(channel) !== undefined),
      nextAt: nextNoticeAt,
      ownerOf: ({ channel }) => channel,
      carryOut: (notice) => this.#carryOut(notice),
    });
  }

  async start(): Promise<void> {
    await this.obeySettings();
    this.#outbox.start();
  }

  /** Begins nothing more, gives up what waits, and resolves when nothing is under way. */
  stop(): Promise<void> {
    return this.#outbox.stop();
  }

  /** Sends what is due now, and resolves when that is done or put off. */
  runOnce(): Promise<void> {
    return this.#outbox.runOnce();
  }

  /** Takes over which channels are configured. */
  async obeySettings(): Promise<void> {
    const { gatherMs, channels } = this.#parts.settings.current().alerts;
    const routes = Object.entries(channels).map(([name, { kinds, projects, resolved }]) => {
      return { name, kinds, projects, tellsResolved: resolved, gatherMs };
    });
    await this.#parts.database.write((tx) => setChannels(tx, routes));
  }

  channels(): ChannelStatus[] {
    const configs = this.#parts.settings.current().alerts.channels;
    return listChannels(this.#parts.database.reader).flatMap((record) => {
      const config = configs[record.name];
      return config === undefined ? [] : [{ ...record, kind: config.kind, kinds: [...config.kinds], projects: [...config.projects] }];
    });
  }

  /** The names of those that fail again and again. */
  failing(): string[] {
    return this.channels().flatMap(({ name, failures }) => (failures >= FAILING_FROM ? [name] : []));
  }

  /** Sends a message to a channel now. Throws `not_found`, and as `Channel.send` does. */
  async test(name: string, signal: AbortSignal): Promise<void> {
    const { channels } = this.#parts.settings.current().alerts;
    const config = channels[name];
    if (config === undefined) {
      const known = Object.keys(channels).join(", ") || "none. Add one to alerts.channels of the configuration";
      throw new AppError("not_found", `There is no channel ${JSON.stringify(name)}. There is: ${known}.`);
    }
    const at = this.#parts.clock.now();
    const content: NoticeContent = { id: newId("notice"), change: "test", kind: "test", count: 0, alerts: [], heldBack: 0, at };
    try {
      await this.#send(config, content, AbortSignal.any([signal, this.#outbox.stopping]));
    } catch (thrown) {
      signal.throwIfAborted();
      const { code, message } = this.#redacted(thrown);
      throw new AppError(code, `Channel ${name} (${config.kind}) was not told. ${message}`);
    }
  }

  async #carryOut(notice: Notice): Promise<void> {
    const { database } = this.#parts;
    const config = this.#configOf(notice.channel);
    if (config === undefined) return;
    try {
      const content = notice.content ?? (await database.write((tx) => this.#compose(tx, notice, config)));
      if (content === undefined) return;
      await this.#send(config, content, this.#outbox.stopping);
      await this.#note((tx) => completeNotice(tx, notice, content));
    } catch (thrown) {
      if (this.#outbox.stopping.aborted) return;
      await this.#putOff(notice, this.#redacted(thrown)).catch(() => {
        // It was stopped, so the next daemon tries again.
      });
    }
  }

  /** Stores how it went, however long that takes: meanwhile a channel is told nothing, or a full disk would have it told the same for ever. */
  async #note(outcome: (tx: Transaction) => void): Promise<void> {
    const { clock, database, log } = this.#parts;
    for (;;) {
      try {
        return await database.write(outcome);
      } catch (thrown) {
        log.error("notice not noted", { error: messageOf(thrown) });
        await sleep(clock, RETRY_BASE_MS, this.#outbox.stopping);
      }
    }
  }

  /** Fixes what a notice says, from what was gathered up to now. Undefined: there is no room for it this hour, or nothing to say any more. */
  #compose(tx: Transaction, notice: Notice, config: ChannelConfig): NoticeContent | undefined {
    const room = throttle(sentSince(tx, notice.channel, throttleBegin(tx.now)), config.messagesPerHour);
    if ("nextAt" in room) {
      putOffNotice(tx, notice.id, room.nextAt);
      return undefined;
    }
    const count = countAlerts(tx, notice.id);
    if (count === 0) return undefined;
    const { redact } = this.#parts;
    const alerts = alertsOf(tx, notice.id, SHOWN_MAX).map(({ id, subject, message, projectId, count: times, raisedAt }) => {
      const project = projectId === null ? null : (findProject(tx, projectId)?.name ?? null);
      return { id, subject: redact(subject), message: redact(message), project, times, raisedAt };
    });
    const heldBack = room.isLast ? holdBackOthers(tx, notice) : 0;
    const { id, change, kind } = notice;
    const content = { id, change, kind, count, alerts, heldBack, at: tx.now };
    fixContent(tx, id, content);
    return content;
  }

  async #send(config: ChannelConfig, content: NoticeContent, signal: AbortSignal): Promise<void> {
    const { clock, settings, desktopEnvironment } = this.#parts;
    const channel = createChannel(config, { clock, secret: (variable) => settings.secret(variable), desktopEnvironment });
    await channel.send(content, signal);
  }

  /** An outage is waited for. What a channel refuses is tried a few times, for a person may put that right; then the next one has its turn. */
  async #putOff(notice: Notice, error: AppError): Promise<void> {
    const { clock, log, random } = this.#parts;
    const attempt = notice.attempt + 1;
    const isOutage = error.code === "unavailable" || error.code === "timeout";
    const goesOn = isOutage ? clock.now() < notice.createdAt + OUTAGE_MAX_MS : attempt < REFUSALS_MAX;
    const retryAfterMs = typeof error.details["retryAfterMs"] === "number" ? error.details["retryAfterMs"] : 0;
    const nextAt = goesOn ? clock.now() + Math.max(retryAfterMs, retryDelay(attempt, RETRY_BASE_MS, random)) : null;
    const { channel, kind } = notice;
    log[attempt < FAILING_FROM && goesOn ? "warn" : "error"]("channel not told", { channel, kind, attempt, error: error.message, nextAt });
    await this.#note((tx) => failNotice(tx, notice, { message: error.message, nextAt }));
  }

  #redacted(thrown: unknown): AppError {
    const { code, message, details } = toAppError(thrown);
    return new AppError(code, this.#parts.redact(message), details);
  }

  #configOf(channel: string): ChannelConfig | undefined {
    return this.#parts.settings.current().alerts.channels[channel];
  }
}
