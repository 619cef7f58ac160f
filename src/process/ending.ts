import { type Clock, sleep } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { isSame, type ListedProcess, type ProcessEntry, type ProcessTable } from "./process-table.ts";
import { hasCode } from "./system-error.ts";

/** How long killed processes may take to go before we give up and say so. One that waits for a dead disk never goes. */
const GONE_WITHIN_MS = 10_000;
const FIRST_LOOK_MS = 10;
const LONGEST_LOOK_MS = 200;

type IsOurs = (process: ListedProcess) => boolean;

/**
 * Ends processes, and proves that they are gone. Signals nothing whose start time it did not read just before, and never
 * this process or its group.
 */
export class Ending {
  readonly #table: ProcessTable;
  readonly #clock: Clock;

  constructor(table: ProcessTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * SIGKILLs, one by one, all that are ours, and what those start meanwhile, until there is none. `look`, called after each
   * list, says which are. Throws `unavailable` when some stay.
   */
  async killAll(look: () => IsOurs): Promise<ListedProcess[]> {
    const killed = new Map<number, ListedProcess>();
    const left = await this.#untilNone(GONE_WITHIN_MS, async () => {
      const listed = await this.#table.list();
      const isOurs = look();
      // A daemon that an agent of ours started anew carries that agent's mark.
      const found = listed.filter((entry) => isOurs(entry) && entry.pid !== process.pid);
      for (const entry of found) {
        killed.set(entry.pid, entry);
        await this.#signal(entry, entry.pid, "SIGKILL");
      }
      return found;
    });
    if (left.length > 0) {
      const pids = left.map(({ pid }) => pid);
      throw new AppError("unavailable", `Processes ${pids.join(", ")} do not end, not even by SIGKILL. See what they wait for.`, { pids });
    }
    return [...killed.values()];
  }

  /**
   * SIGTERM to a group, and SIGKILL to what is left of it after `graceMs`. `leader` is who it was made by; a group that
   * none of `isOurs` and the leader is in any more is somebody else's by now and left alone. Returns the group's members as
   * they were seen, for the caller to make sure of.
   */
  async endGroup(leader: Pick<ProcessEntry, "pid" | "startTime">, isOurs: IsOurs, graceMs: number): Promise<Set<string>> {
    const seen = new Set<string>();
    const isKnown = (entry: ListedProcess) => keyOf(entry) === keyOf(leader) || isOurs(entry) || seen.has(keyOf(entry));
    const findWitness = async () => {
      const members = (await this.#table.list()).filter(({ group }) => group === leader.pid);
      // While one that is known to be ours is in it, the group's number cannot be anybody else's.
      const witness = members.find(isKnown);
      if (witness !== undefined) for (const member of members) seen.add(keyOf(member));
      return witness;
    };
    const first = await findWitness();
    if (first === undefined) return seen;
    await this.#signal(first, -leader.pid, "SIGTERM");
    await this.#untilNone(graceMs, async () => {
      // Asking for one is cheap; for all only once the leader is gone.
      const left = await this.#table.find(leader.pid);
      const witness = left && isSame(leader, left) ? left : await findWitness();
      return witness === undefined ? [] : [witness];
    });
    const last = await findWitness();
    if (last !== undefined) await this.#signal(last, -leader.pid, "SIGKILL");
    return seen;
  }

  /** Looks, ever more slowly, until nothing is left or the time is up; returns what was left at the last look. */
  async #untilNone<Item>(withinMs: number, look: () => Promise<Item[]>): Promise<Item[]> {
    const endAt = this.#clock.elapsed() + withinMs;
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
      const left = await look();
      const remainingMs = endAt - this.#clock.elapsed();
      if (left.length === 0 || remainingMs <= 0) return left;
      await sleep(this.#clock, Math.min(waitMs, remainingMs), new AbortController().signal);
    }
  }

  /** `target`: the process, or minus the group that it is in. */
  async #signal(entry: ProcessEntry, target: number, signal: NodeJS.Signals): Promise<void> {
    const ownGroup = target < 0 ? (await this.#table.find(process.pid))?.group : undefined;
    if (Math.abs(target) <= 1 || target === process.pid || -target === ownGroup) return;
    const now = await this.#table.find(entry.pid);
    if (!now || !isSame(entry, now) || (target < 0 && now.group !== -target)) return;
    try {
      process.kill(target, signal);
    } catch (failure) {
      // ESRCH: it went by itself. EPERM: it became another user's; the caller sees that it stays.
      if (!hasCode(failure, "ESRCH", "EPERM")) throw failure;
    }
  }
}

export function keyOf({ pid, startTime }: Pick<ProcessEntry, "pid" | "startTime">): string {
  return `${pid} ${startTime}`;
}
