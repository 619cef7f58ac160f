import { dirname, join } from "node:path";
import { messageOf } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import type { NewHookEvent } from "../contract/hook.ts";
import type { RunId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import { readHookPayload, type HookMessage } from "../agents/hook-payload.ts";
import { forgetHookEvents, hookOffset, recordHookEvents, recordSpooledHooks } from "../store/hook-events.ts";
import { configDirectory } from "./job.ts";
import type { EngineParts } from "./parts.ts";

/** Stored of one run by one daemon at most; an agent that tells more than a person could read in years does it to fill the disk. */
const HOOKS_MAX = 100_000;

const DAY_MS = 24 * 3600 * 1000;
const FORGET_AT_ONCE = 5000;

/** The spool of a run that is carried here. */
export interface RunSpool {
  /** Takes in what its agent tells from now on, as it comes. */
  follow(): void;
  /** Follows no longer, and takes in what is left. Safe to do twice. */
  finish(): Promise<void>;
}

/** The file to which the hooks of a run's agent append what they tell. */
export function spoolOf(parts: Pick<EngineParts, "paths">, run: Pick<Run, "id" | "taskId">): string {
  return join(configDirectory(parts, run), "hooks", `${run.id}.jsonl`);
}

/** Stores what the hooks of agents tell, from their spools and from the API: redacted, in order, each once. */
export class HookIntake {
  readonly #parts: EngineParts;
  readonly #onHook: (runId: RunId, hook: HookMessage) => void;
  readonly #counts = new Map<RunId, number>();

  /** @param onHook called once a hook event is stored. */
  constructor(parts: EngineParts, onHook: (runId: RunId, hook: HookMessage) => void) {
    this.#parts = parts;
    this.#onHook = onHook;
  }

  /** A payload that was sent to the API. False: it is no hook, or the run is over; nothing was stored. */
  async receive(run: Pick<Run, "id" | "epoch">, payload: unknown): Promise<boolean> {
    const hook = readHookPayload(payload, (text) => this.#clean(text));
    if (!hook) return false;
    const events = this.#withinMax(run.id, [hook.event]);
    const kept = await this.#parts.database.write((tx) => recordHookEvents(tx, run, events));
    if (kept) this.#onHook(run.id, hook);
    else this.#counts.delete(run.id);
    return kept && events.length > 0;
  }

  /** Takes in what the spool of a run holds now, from where an earlier daemon or look left off. */
  async takeIn(run: Pick<Run, "id" | "taskId" | "epoch">): Promise<void> {
    const { database, traces } = this.#parts;
    const file = spoolOf(this.#parts, run);
    for (let from = hookOffset(database.reader, run.id); ;) {
      const { records, end, damaged } = await traces.readSpool(file, from);
      if (end === from) return;
      const read = records.map((record) => readHookPayload(parse(record), (text) => this.#clean(text)));
      const hooks = read.filter((hook) => hook !== undefined);
      const unreadable = damaged + read.length - hooks.length;
      const events = this.#withinMax(run.id, [...hooks.map(({ event }) => event), ...complaint(unreadable)]);
      const start = from;
      const kept = await database.write((tx) => recordSpooledHooks(tx, run, { from: start, end, events }));
      // The run is over, or another look was faster; either way nobody waits for this one.
      if (!kept) return;
      for (const hook of hooks) this.#onHook(run.id, hook);
      from = end;
    }
  }

  openSpool(run: Pick<Run, "id" | "taskId" | "epoch">): RunSpool {
    const stop = new AbortController();
    let following: Promise<void> | undefined;
    return {
      follow: () => {
        following ??= this.#follow(run, stop.signal);
      },
      finish: async () => {
        stop.abort();
        await following;
        await this.#quietly(run, () => this.takeIn(run));
        this.#counts.delete(run.id);
      },
    };
  }

  /** Forgets what is older than `hooks.keepDays`, some at a time so that no write takes long. */
  async forgetOld(): Promise<void> {
    const { clock, database, settings } = this.#parts;
    const before = clock.now() - settings.current().hooks.keepDays * DAY_MS;
    while ((await database.write((tx) => forgetHookEvents(tx, before, FORGET_AT_ONCE))) === FORGET_AT_ONCE);
  }

  async #follow(run: Pick<Run, "id" | "taskId" | "epoch">, signal: AbortSignal): Promise<void> {
    await this.#quietly(run, async () => {
      for await (const _ of this.#parts.traces.watch(dirname(spoolOf(this.#parts, run)), signal)) await this.takeIn(run);
    });
  }

  /** What the hooks tell is a record, not what the run hangs on; and it stays in the spool. */
  async #quietly(run: Pick<Run, "id">, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#parts.log.warn("hooks not taken in", { runId: run.id, error: messageOf(thrown) });
    }
  }

  #withinMax(runId: RunId, events: readonly NewHookEvent[]): readonly NewHookEvent[] {
    const before = this.#counts.get(runId) ?? 0;
    this.#counts.set(runId, before + events.length);
    if (before < HOOKS_MAX && before + events.length >= HOOKS_MAX)
      this.#parts.log.warn("a run tells too much by hooks", { runId, max: HOOKS_MAX });
    return events.slice(0, Math.max(0, HOOKS_MAX - before));
  }

  #clean(text: string): string {
    return this.#parts.redact(safeText(text));
  }
}

function complaint(unreadable: number): NewHookEvent[] {
  return unreadable === 0
    ? []
    : [{ source: "daemon", category: "error", name: "hooks_unreadable", tool: null, detail: { count: unreadable } }];
}

function parse(record: string): unknown {
  try {
    return JSON.parse(record);
  } catch {
    return undefined; // no JSON after all: counted as unreadable
  }
}
