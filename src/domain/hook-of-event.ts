import type { NewEvent } from "../contract/event.ts";
import type { HookCategory, NewHookEvent } from "../contract/hook.ts";

/**
 * What the daemon itself tells of a run where no hook of its agent does: its events that are of one of the categories, under
 * their own names without `run.`. Undefined: the event is no such thing.
 * @param announced the categories that the agent's own hooks tell; of errors, that is tools that failed. How it ended, and its
 * states, are ours to judge all the same.
 */
export function hookOfEvent(event: NewEvent, announced: readonly HookCategory[]): NewHookEvent | undefined {
  const category = categoryOf(event);
  if (category === undefined || (isToldByAgents(event) && announced.includes(category))) return undefined;
  const tool = "tool" in event.data && typeof event.data.tool === "string" ? event.data.tool : null;
  return { source: "daemon", category, name: event.type.replace(/^run\./u, ""), tool, detail: { ...event.data } };
}

function categoryOf(event: NewEvent): HookCategory | undefined {
  switch (event.type) {
    case "run.tool_called":
      return "tool";
    case "run.tool_finished":
      return event.data.failed ? "error" : "tool";
    case "run.adopted":
    case "run.agent_started":
    case "run.session_started":
    case "run.nudged":
    case "run.told":
      return "session";
    case "run.agent_ended":
      return event.data.reason === "completed" ? "session" : "error";
    case "run.question_answered":
      return event.data.allow ? "state" : "error";
    case "run.question_asked":
    case "run.state_changed":
    case "run.progressed":
      return "state";
    case "run.ended":
      return event.data.outcome.status === "failed" ? "error" : "session";
    default:
      return undefined;
  }
}

/** Whether an agent that has hooks tells this by one of them; the life of its process it can't tell. */
function isToldByAgents({ type }: NewEvent): boolean {
  return type === "run.tool_called" || type === "run.tool_finished" || type === "run.session_started";
}
