import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { AgentConfig } from "../contract/config.ts";
import type { Driver } from "../agents/driver.ts";

/** An agent that was found is not looked for again for this long, milliseconds. */
const FOUND_FOR_MS = 5 * 60_000;

/** Makes sure that an agent can be started before it is: the clear word comes from us, not from a shell. */
export class AgentFinder {
  readonly #clock: Clock;
  readonly #found = new Map<string, { readonly program: string; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The agent's program. Throws `unavailable` with `details.reason` `agent_missing` or `auth`, saying what to do. */
  async find(driver: Driver, agent: AgentConfig, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    const key = JSON.stringify([agent, env["PATH"]]);
    const known = this.#found.get(key);
    if (known !== undefined && this.#clock.elapsed() - known.at < FOUND_FOR_MS) return known.program;
    const detection = await driver.detect(agent, env, signal);
    if (!detection.found) throw new AppError("unavailable", detection.message, { reason: "agent_missing" });
    if (detection.loggedIn === false) {
      throw new AppError(
        "unavailable",
        `${detection.program} is not logged in. Start it once by hand and log in, or give its key to the daemon.`,
        { reason: "auth" },
      );
    }
    this.#found.set(key, { program: detection.program, at: this.#clock.elapsed() });
    return detection.program;
  }
}
