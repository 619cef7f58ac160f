import type { Random } from "../../src/base/random.ts";

/** Seeded chance: the same seed gives the same run. */
export class Dice {
  readonly roll: Random;

  constructor(seed: number) {
    this.roll = mulberry32(seed);
  }

  chance(probability: number): boolean {
    return this.roll() < probability;
  }

  between(min: number, max: number): number {
    return min + this.roll() * (max - min);
  }

  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.whole(0, items.length - 1)] as Item;
  }
}

// Mulberry32, Tommy Ettinger: 32 bits of state, enough for choosing faults.
function mulberry32(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
