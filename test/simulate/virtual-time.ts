import type { CancelTimer, Clock } from "../../src/base/clock.ts";

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** The wall clock shows this at the start of the virtual time. */
const EPOCH = Date.UTC(2026, 0, 1);

/**
 * Time that passes only when nothing is left to do at the present moment. All that happens is in one heap, ordered by time
 * and then by the order of scheduling, so a seed replays exactly.
 */
export class VirtualTime {
  /** Milliseconds since the start: the true, monotonic time. */
  elapsed = 0;
  /** How far the wall clock is off, milliseconds; a fault may change it at any time. */
  skewMs = 0;
  #heap: Entry[] = [];
  #order = 0;
  #deferred: { owner: DaemonClock | null; run: () => void }[] = [];

  /** What a wall clock shows now. */
  get wall(): number {
    return EPOCH + Math.round(this.elapsed) + this.skewMs;
  }

  schedule(inMs: number, run: () => void): CancelTimer {
    const entry: Entry = { at: this.elapsed + Math.max(0, inMs), order: this.#order++, run, cancelled: false };
    this.#push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Resolves after `ms` of virtual time. */
  pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.schedule(ms, resolve));
  }

  defer(owner: DaemonClock | null, run: () => void): void {
    this.#deferred.push({ owner, run });
  }

  /**
   * Lets everything happen until `until` (milliseconds since the start) or until nothing is scheduled any more.
   * @param afterEach called when the present moment is settled.
   */
  async run(until: number, afterEach: () => void): Promise<void> {
    await this.#settle();
    for (let next = this.#heap[0]; next && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      if (next.cancelled) continue;
      this.elapsed = next.at;
      next.run();
      await this.#settle();
      afterEach();
    }
  }

  /** Runs what follows from the present moment: promises, then what was put off to the end of the turn, until nothing is left. */
  async #settle(): Promise<void> {
    await immediate();
    while (this.#deferred.length > 0) {
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const { owner, run } of deferred) {
        if (owner === null) run();
        else owner.runDeferred(run);
      }
      await immediate();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent] as Entry, entry)) break;
      heap[index] = heap[parent] as Entry;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (isBefore(last, heap[child] as Entry)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
  }
}

/** The clock of one incarnation of the daemon. When that is killed, nothing that it had scheduled happens any more. */
export class DaemonClock implements Clock {
  readonly #time: VirtualTime;
  readonly #onDeferred: (run: () => void) => void;
  isDead = false;

  /** @param onDeferred runs what was put off (the database's commit); may kill the daemon before or after. */
  constructor(time: VirtualTime, onDeferred: (run: () => void) => void) {
    this.#time = time;
    this.#onDeferred = onDeferred;
  }

  now(): number {
    return this.#time.wall;
  }

  elapsed(): number {
    return this.#time.elapsed;
  }

  setTimer(ms: number, run: () => void): CancelTimer {
    return this.#time.schedule(ms, () => {
      if (!this.isDead) run();
    });
  }

  defer(run: () => void): void {
    this.#time.defer(this, run);
  }

  runDeferred(run: () => void): void {
    if (!this.isDead) this.#onDeferred(run);
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
