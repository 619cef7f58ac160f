import { sleep, type Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { SaidAgentLine } from "../contract/agent-line.ts";
import type { BuiltinConfig } from "../contract/provider.ts";
import { retryDelay } from "../domain/backoff.ts";
import { readFailure, type CallFailure } from "./call-failure.ts";

export interface Retrying {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Pick<BuiltinConfig, "retries" | "retryDelayMs" | "retryWaitMaxMs">;
  readonly say: (line: SaidAgentLine) => void;
}

/**
 * Calls a model, and again after an outage of its provider: after as long as that wants to be left alone, else after longer
 * and longer waits. Each repetition is said. Throws `unavailable` with `details.reason` and `details.retryAt` (what the
 * verdict of a run has) when it is of no use to go on, or the signal's reason.
 */
export async function askPatiently<Answer>(ask: () => Promise<Answer>, parts: Retrying, signal: AbortSignal): Promise<Answer> {
  const { clock, random, limits, say } = parts;
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (thrown) {
      signal.throwIfAborted();
      const failure = readFailure(thrown, clock.now());
      const waitMs = failure.waitMs ?? retryDelay(attempt, limits.retryDelayMs, random, limits.retryWaitMaxMs);
      if (!failure.mayRepeat || attempt > limits.retries || waitMs > limits.retryWaitMaxMs) throw givingUp(failure, attempt, parts, thrown);
      say({ type: "retrying", attempt, message: failure.message, ...(failure.status !== null && { status: failure.status }) });
      await sleep(clock, waitMs, signal);
    }
  }
}

/** A wait too long for a run is left to the task: until the provider serves again, it is at its limit. */
function givingUp(
  { reason, message, status, mayRepeat, waitMs }: CallFailure,
  attempt: number,
  { clock, limits }: Retrying,
  cause: unknown,
): AppError {
  const isLong = mayRepeat && waitMs !== null && waitMs > limits.retryWaitMaxMs;
  const tried = mayRepeat && attempt > 1 ? ` (asked ${attempt} times)` : "";
  return new AppError("unavailable", `${message}${tried}`, {
    cause,
    reason: isLong && status === 429 ? "usage_limit" : reason,
    retryAt: isLong || reason === "usage_limit" ? retryAt(waitMs, clock) : null,
  });
}

function retryAt(waitMs: number | null, clock: Clock): number | null {
  return waitMs === null ? null : clock.now() + waitMs;
}
