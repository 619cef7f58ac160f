import type { Event } from "../contract/event.ts";
import { describeOutcome } from "./describe-task.ts";
import { dateTime } from "./format.ts";
import { painted, show, Shown } from "./shown.ts";

const SUBJECT_WIDTH = 10;

/**
 * An event as a line: when, what, and what it says; with a subject also what it is about, where events of several are
 * shown. An event of a newer daemon is shown as its data.
 */
export function describeEvent(event: Event, subject?: string): Shown {
  const about = subject === undefined ? "" : `${(subject || "-").padEnd(SUBJECT_WIDTH)}  `;
  return show`${painted("dim", dateTime(event.at))}  ${Shown.lines(`${about}${event.type.padEnd(22)}`)}  ${describeData(event)}`;
}

function describeData(event: Event): Shown {
  switch (event.type) {
    case "task.created":
      return show`${painted("bold", event.data.key)} ${event.data.title} (${event.data.status})`;
    case "task.status_changed": {
      const { from, to, reason, message } = event.data;
      return show`${from} → ${painted("bold", to)}${reason === null ? "" : ` (${reason})`}${message === null ? "" : `: ${message}`}`;
    }
    case "task.changed":
      return show`priority ${event.data.priority}, by ${event.data.by}`;
    case "run.started":
      return show`${event.data.stage}, attempt ${event.data.attempt}, ${event.data.agent} on worker ${event.data.worker}${event.data.handedOverFrom ? `, handed over from ${event.data.handedOverFrom}` : ""}`;
    case "run.progressed":
    case "run.adopted":
      return show`${event.data.progress}`;
    case "run.message":
      return show`${event.data.text}`;
    case "run.tool_called":
      return show`${painted("cyan", event.data.tool)} ${event.data.input}`;
    case "run.tool_finished":
      return show`${event.data.tool}${event.data.failed ? painted("red", " failed") : ""}`;
    case "run.question_asked":
      return show`${painted("yellow", "asks")} ${event.data.id}: ${event.data.tool} ${event.data.input}`;
    case "run.check_finished":
      return show`${event.data.name} on the ${event.data.tree === "base" ? "base" : "result"}: ${event.data.exitCode === 0 ? painted("green", "passes") : painted("red", "fails")}`;
    case "run.state_changed": {
      const { from, to, evidence } = event.data;
      const name = painted("bold", to.replace("_", " "));
      return show`${from === null ? "" : `${from.replace("_", " ")} → `}${name}: ${evidence.join("; ")}`;
    }
    case "run.nudged":
      return show`${event.data.message}`;
    case "run.told":
      return show`${event.data.by}: ${event.data.text}`;
    case "run.ended":
      return describeOutcome(event.data.outcome);
    case "circuit.changed": {
      const { circuit, from, to, message } = event.data;
      return show`${painted("bold", circuit)} ${from} → ${to}${message === null ? "" : `: ${message}`}`;
    }
    case "effect.done":
      return show`${event.data.kind}${event.data.url === null ? "" : ` ${event.data.url}`}`;
    case "effect.failed":
      return show`${event.data.kind}: ${painted("red", event.data.message)}`;
    default:
      return show`${Object.entries(event.data)
        .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
        .join(" ")}`;
  }
}
