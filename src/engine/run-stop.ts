import { AppError } from "../base/errors.ts";
import type { CancelledBy, FailureReason } from "../contract/run.ts";

/**
 * Why a run is stopped before its agent is done. `leave`: the daemon stops and lets the agent live; the next daemon
 * adopts it. `kill`: the daemon stops and takes the agent down with it; its task is queued again.
 */
export type StopReason =
  | { readonly kind: "leave" }
  | { readonly kind: "kill" }
  | { readonly kind: "cancel"; readonly by: CancelledBy; readonly message: string }
  | {
      readonly kind: "limit";
      readonly reason: Extract<FailureReason, "timed_out" | "stalled" | "budget" | "memory" | "processes">;
      readonly message: string;
      /** When it may go on, where that is known. */
      readonly retryAt?: number | null;
    };

/** The reason of a run's abort signal. */
export class RunStopped extends AppError {
  readonly stop: StopReason;

  constructor(stop: StopReason) {
    super(stop.kind === "limit" ? "timeout" : "cancelled", "message" in stop ? stop.message : "The daemon stops.");
    this.stop = stop;
  }
}

/** Why a signal was aborted, when it was by one of us. */
export function stopReasonOf(signal: AbortSignal): StopReason | undefined {
  return signal.aborted && signal.reason instanceof RunStopped ? signal.reason.stop : undefined;
}
