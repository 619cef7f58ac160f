import type { Dice } from "./dice.ts";
import { DaemonClock, type VirtualTime } from "./virtual-time.ts";

/** How likely a daemon dies at one of its steps while faults are on. */
const DEATH_CHANCE = 0.0003;
/** It dies so much more often while an agent is being started: that is where two could come to life. */
const DELICATE = 40;
/** What a dead daemon asked for happens within this time or not at all, milliseconds. */
const LATE_MS = 60_000;

/**
 * One life of the daemon. Each of its calls to the outside and each of its commits is a step at which it may be killed,
 * before or after: a call that a dead daemon waits for never answers, though what it asked for may well happen.
 */
export class Incarnation {
  readonly clock: DaemonClock;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #faults: { on: boolean };
  readonly #onDeath: (step: string) => void;

  constructor(time: VirtualTime, dice: Dice, faults: { on: boolean }, onDeath: (step: string) => void) {
    this.#time = time;
    this.#dice = dice;
    this.#faults = faults;
    this.#onDeath = onDeath;
    this.clock = new DaemonClock(time, (run) => this.#commit(run));
  }

  get isDead(): boolean {
    return this.clock.isDead;
  }

  kill(step: string): void {
    if (this.isDead) return;
    this.clock.isDead = true;
    this.#onDeath(step);
  }

  /** A call to the outside that takes `ms`. Once it is on its way its effect may happen even if the caller dies. */
  async call<Result>(name: string, ms: number, effect: () => Result | Promise<Result>): Promise<Result> {
    if (this.isDead) return never();
    this.#step(`${name}:before`);
    await this.#time.pass(this.#dice.between(ms / 2, ms * 1.5));
    if (this.isDead) {
      if (this.#dice.chance(0.5)) return never();
      // It may also happen much later than anybody expects.
      if (this.#dice.chance(0.7)) await this.#time.pass(this.#dice.between(0, LATE_MS));
    }
    const result = await effect();
    this.#step(`${name}:after`);
    return this.isDead ? never() : result;
  }

  /** A promise of the world, as this daemon sees it: nothing comes any more once it is dead. */
  async hear<Result>(promise: Promise<Result>): Promise<Result> {
    const result = await promise;
    return this.isDead ? never() : result;
  }

  #commit(run: () => void): void {
    this.#step("commit:before");
    if (this.isDead) return;
    run();
    this.#step("commit:after");
  }

  #step(name: string): void {
    const chance = name.startsWith("host.start") ? DEATH_CHANCE * DELICATE : DEATH_CHANCE;
    if (!this.isDead && this.#faults.on && this.#dice.chance(chance)) this.kill(name);
  }
}

function never<Result>(): Promise<Result> {
  return new Promise(() => {});
}
