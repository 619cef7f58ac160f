import type { Hold } from "../contract/circuit.ts";

/** Who waits for places in pools, and since when. */
export interface Waiter {
  /** Tells one from another. */
  readonly key: string;
  readonly pools: readonly string[];
  readonly since: number;
}

export interface PoolFacts {
  /** How many runs may have a place in each; Infinity: as many as like. Undefined: there is no such pool. */
  readonly sizeOf: (pool: string) => number | undefined;
  /** How many open runs have a place in each. */
  readonly taken: ReadonlyMap<string, number>;
}

export const workflowPool = (workflow: string): string => `workflow:${workflow}`;
export const namedPool = (name: string): string => `pool:${name}`;

/**
 * Who may have places in pools, at one moment. A run gets all its places with its start or none, so nobody has one while he waits for
 * another, and no two can wait for each other. One who wants many could then be overtaken for ever: after `keepFor` the places that he needs
 * are kept for him, as they become free, before all who came later.
 */
export class Pools {
  readonly #sizeOf: PoolFacts["sizeOf"];
  readonly #taken: Map<string, number>;
  /** The longest waiting first. */
  #keptFor: readonly Waiter[] = [];

  constructor({ sizeOf, taken }: PoolFacts) {
    this.#sizeOf = sizeOf;
    this.#taken = new Map(taken);
  }

  /** From now on these, who have waited too long, have their places kept: a place in each of their pools. */
  keepFor(waiters: readonly Waiter[]): void {
    this.#keptFor = waiters
      .filter(({ pools }) => pools.every((pool) => this.#sizeOf(pool) !== undefined))
      .toSorted((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1));
  }

  /** Why somebody does not get his places now; undefined: he does. */
  hold({ key, pools }: Pick<Waiter, "key" | "pools">): Hold | undefined {
    const before = this.#keptFor.findIndex((waiter) => waiter.key === key);
    const earlier = before < 0 ? this.#keptFor : this.#keptFor.slice(0, before);
    for (const pool of pools) {
      const size = this.#sizeOf(pool);
      if (size === undefined) return held(`There is no ${shownPool(pool)}: add it to pools in the configuration.`);
      const taken = this.#taken.get(pool) ?? 0;
      if (taken >= size) return held(`The ${shownPool(pool)} is full: ${taken} of ${size} runs.`);
      const kept = earlier.filter((waiter) => waiter.pools.includes(pool)).length;
      if (taken + kept >= size)
        return held(`The ${shownPool(pool)} has ${size - taken} places free, kept for those who have waited longer.`);
    }
    return undefined;
  }

  /** A run has started with a place in each of these. */
  take(pools: readonly string[]): void {
    for (const pool of pools) this.#taken.set(pool, (this.#taken.get(pool) ?? 0) + 1);
  }
}

function held(message: string): Hold {
  return { reason: "pool", message, until: null };
}

/** `pool gpu`, `pool of workflow tdd` */
function shownPool(pool: string): string {
  const [kind, name] = [pool.slice(0, pool.indexOf(":")), pool.slice(pool.indexOf(":") + 1)];
  return kind === "pool" ? `pool ${name}` : `pool of ${kind} ${name}`;
}
