import type { World, WorldProcess } from "./world.ts";

const MINUTE = 60_000;

/** What is wrong with a provider's account while faults are on, until moments of true time. */
interface Trouble {
  limitedUntil: number;
  /** Whether a refusal at the usage limit names its end. */
  namesReset: boolean;
  overloadedUntil: number;
  /** Its agents fail, whatever they are to do. */
  brokenUntil: number;
}

/** The accounts of the simulated providers. An agent works on the one that its start was given. */
export class Providers {
  readonly #world: World;
  readonly #troubles = new Map<string, Trouble>();

  constructor(world: World) {
    this.#world = world;
  }

  /** One of the accounts gets into trouble for a while. */
  trouble(account: string): void {
    const { dice, time } = this.#world;
    const until = (min: number, max: number) => time.elapsed + dice.between(min, max) * MINUTE;
    const trouble = this.#of(account);
    switch (dice.pick(["limit", "overload", "broken"] as const)) {
      case "limit":
        trouble.limitedUntil = until(5, 40);
        trouble.namesReset = dice.chance(0.6);
        return;
      case "overload":
        trouble.overloadedUntil = until(1, 10);
        return;
      case "broken":
        trouble.brokenUntil = until(5, 20);
        return;
    }
  }

  calm(): void {
    this.#troubles.clear();
  }

  /** Ends an agent whose provider does not serve it; false: it is served. */
  refuses(process: WorldProcess): boolean {
    const { time } = this.#world;
    const { limitedUntil, namesReset, overloadedUntil, brokenUntil } = this.#of(process.account);
    if (time.elapsed < limitedUntil) {
      const retryAt = namesReset ? time.wall + Math.ceil(limitedUntil - time.elapsed) : null;
      return this.#end(process, { reason: "usage_limit", message: "the limit is reached", retryAt });
    }
    if (time.elapsed < overloadedUntil) {
      this.#world.print(process, { type: "retrying", attempt: 1, message: "too many requests", status: 429 });
      return this.#end(process, { reason: "overloaded", message: "too many requests", retryAt: null });
    }
    if (time.elapsed < brokenUntil) return this.#end(process, { reason: "agent_error", message: "it is broken", retryAt: null });
    return false;
  }

  #of(account: string): Trouble {
    let trouble = this.#troubles.get(account);
    if (!trouble) {
      trouble = { limitedUntil: 0, namesReset: true, overloadedUntil: 0, brokenUntil: 0 };
      this.#troubles.set(account, trouble);
    }
    return trouble;
  }

  #end(process: WorldProcess, verdict: { reason: string; message: string; retryAt: number | null }): true {
    this.#world.print(process, { type: "turn_ended", verdict: { ok: false, ...verdict }, report: "", stdin: null });
    this.#world.end(process, { exitCode: 1, signal: null });
    return true;
  }
}
