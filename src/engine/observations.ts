import type { AgentEvent } from "../agents/driver.ts";
import type { HookMessage } from "../agents/hook-payload.ts";
import type { Observation } from "../domain/run-facts.ts";

/** What an agent's word says about its run's state. `clean` makes text from outside fit to be stored. */
export function observationOf(event: AgentEvent, at: number, clean: (text: string) => string): Observation {
  switch (event.type) {
    case "tool_called":
      return { kind: "tool_called", at, id: event.id, tool: event.tool, input: clean(event.input) };
    case "tool_finished":
      return { kind: "tool_finished", at, id: event.id };
    case "question_asked":
      return { kind: "question_asked", at, id: event.id, tool: event.tool };
    case "retrying":
      return { kind: "retrying", at, attempt: event.attempt, message: clean(event.message) };
    case "turn_ended": {
      const { verdict } = event;
      if (verdict.ok) return { kind: "turn_ended", at, reason: "completed", message: "", retryAt: null };
      return { kind: "turn_ended", at, reason: verdict.reason, message: clean(verdict.message), retryAt: verdict.retryAt };
    }
    case "session_started":
    case "message":
    case "usage":
      return { kind: "output", at };
  }
}

export function observationOfHook({ event, waits, retries }: HookMessage, at: number): Observation {
  if (retries !== null) return { kind: "retrying", at, ...retries };
  return { kind: "hook", at, category: event.category, name: event.name, waits };
}
