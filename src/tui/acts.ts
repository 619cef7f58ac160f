import type { Command } from "./keys.ts";
import { only, withOrder, type Next } from "./next.ts";
import { runOf, selected, taskOf } from "./selection.ts";
import type { Entry, Prompt, State } from "./state.ts";

const PRIORITY_STEP = 10;

/** What a key does to the entry that a person is at. What can't be done says so. */
export function actOn(state: State, command: Command): Next {
  if (command === "pause") return withOrder(state, { do: "pause", paused: !(state.facts.daemon?.paused ?? false) });
  if (command === "plan") return newPlan(state);
  const entry = selected(state);
  if (entry === undefined) return told(state, "Nothing is selected.");
  switch (command) {
    case "open":
      return watch(state, entry);
    case "approve":
      return approve(state, entry);
    case "deny":
      return deny(state, entry);
    case "settle":
      return settle(state, entry);
    case "attach":
    case "tell":
      return reach(state, entry, command);
    default:
      return onTask(state, entry, command);
  }
}

/** The project that new work is for: the one that is looked at, or the only one. */
export function projectNow({ projectId, facts: { projects } }: State): string | undefined {
  const found = projects.find(({ id }) => id === projectId) ?? (projects.length === 1 ? projects[0] : undefined);
  return found?.name;
}

export const NO_PROJECT = "For which project? Press p until it is named in the second line.";

function newPlan(state: State): Next {
  const project = projectNow(state);
  if (project === undefined) return told(state, NO_PROJECT);
  return ask(state, `What is wanted of ${project}?`, { to: "order", make: (text) => ({ do: "plan", project, text }) });
}

function watch(state: State, entry: Entry): Next {
  const run = runOf(state, entry);
  if (run === undefined) return told(state, "No agent has worked on it yet.");
  const { agent = "", stage = "", attempt = 1, taskKey = "" } = state.facts.runs.get(run) ?? {};
  const watched = { runId: run, title: `${taskKey} ${stage} ${attempt}, ${agent}`, lines: [], behind: 0, hasEnded: false };
  return withOrder({ ...state, watched }, { do: "watch", run });
}

/** Allows what an agent asks for; without such a question, approves what the task waits with. */
function approve(state: State, entry: Entry): Next {
  const asked = questionOf(state, entry);
  if (asked) return withOrder(state, { do: "answer", ...asked, allow: true, message: "" });
  const task = taskOf(state, entry);
  return task ? withOrder(state, { do: "approve", task: task.id, subject: task.key }) : told(state, "There is nothing to approve.");
}

function deny(state: State, entry: Entry): Next {
  const asked = questionOf(state, entry);
  if (asked)
    return ask(state, `Deny ${asked.subject}, and say why (may be empty)`, {
      to: "order",
      make: (message) => ({ do: "answer", ...asked, allow: false, message }),
    });
  const task = taskOf(state, entry);
  if (!task) return told(state, "There is nothing to deny.");
  return ask(state, `Deny ${task.key}: it is cancelled. Why (may be empty)`, {
    to: "order",
    make: (message) => ({ do: "deny", task: task.id, subject: task.key, message }),
  });
}

function questionOf(state: State, entry: Entry): { run: string; subject: string; question: string } | undefined {
  const run = state.facts.runs.get(runOf(state, entry) ?? "");
  if (!run || run.outcome !== null) return undefined;
  const question = (entry.of === "item" ? entry.record.question : null) ?? run.questions[0];
  return question && { run: run.id, subject: run.taskKey, question: question.id };
}

function settle(state: State, entry: Entry): Next {
  if (entry.of === "item" && entry.record.alertId !== null)
    return withOrder(state, { do: "dismiss", alert: entry.record.alertId, subject: entry.record.subject });
  if (entry.of === "item" && entry.record.circuitId !== null)
    return withOrder(state, { do: "reset", circuit: entry.record.circuitId, subject: entry.record.subject });
  return told(state, "It is no alert and no circuit: it goes when it is answered.");
}

function reach(state: State, entry: Entry, command: "attach" | "tell"): Next {
  const run = runOf(state, entry);
  const subject = taskOf(state, entry)?.key ?? "";
  if (run === undefined) return told(state, "No agent has worked on it yet.");
  if (command === "attach") return withOrder(state, { do: "attach", run, subject });
  return ask(state, `Tell the agent of ${subject}`, { to: "order", make: (text) => ({ do: "tell", run, subject, text }) });
}

function onTask(state: State, entry: Entry, command: Command): Next {
  const task = taskOf(state, entry);
  if (!task) return told(state, "It is about no task.");
  const about = { task: task.id, subject: task.key };
  switch (command) {
    case "stop":
      return ask(state, `Cancel ${task.key}? Its work is saved. (y/n)`, { to: "confirm", order: { do: "cancel", ...about } });
    case "retry":
      return withOrder(state, { do: "retry", ...about });
    case "raise":
    case "lower": {
      const { priority } = state.facts.tasks.get(task.id) ?? { priority: 50 };
      const wanted = priority + (command === "raise" ? PRIORITY_STEP : -PRIORITY_STEP);
      return withOrder(state, { do: "prioritise", ...about, priority: Math.max(0, Math.min(100, wanted)) });
    }
    default:
      return only(state);
  }
}

function ask(state: State, asks: string, purpose: Prompt["purpose"]): Next {
  return only({ ...state, prompt: { asks, text: "", purpose } });
}

function told(state: State, text: string): Next {
  return only({ ...state, notice: { text, isFailure: false } });
}
