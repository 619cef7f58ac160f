import type { RunOutcome } from "../../contract/run.ts";
import type { Task } from "../../contract/task.ts";
import { describeEvent } from "../../words/describe-event.ts";
import { describeState } from "../../words/describe-state.ts";
import { describeOutcome, statusOf } from "../../words/describe-task.ts";
import { ago, count, money } from "../../words/format.ts";
import { painted, show, Shown } from "../../words/shown.ts";
import { subjectOf } from "../entries.ts";
import type { Entry, State } from "../state.ts";

/** More about the entry that a person is at, in lines of any length. */
export function detailOf(state: State, entry: Entry): Shown[] {
  switch (entry.of) {
    case "item": {
      const { kind, subject, text, question, url } = entry.record;
      const asks = question ? [show`${painted("yellow", "asks for")} ${question.tool}`, Shown.lines(question.input)] : [Shown.lines(text)];
      return [show`${painted("bold", subject)} ${whatToDo[kind] ?? ""}`, ...asks, ...(url === null ? [] : [show`${painted("cyan", url)}`])];
    }
    case "task":
      return ofTask(state, entry);
    case "event":
      return [describeEvent(entry.record, subjectOf(state.facts, entry))];
    case "audit": {
      const { actor, action, subject, detail } = entry.record;
      return [show`${actor}: ${painted("bold", action)} ${subject}`, Shown.lines(JSON.stringify(detail, null, 1))];
    }
  }
}

const whatToDo: Readonly<Record<string, string>> = {
  permission: "waits for your permission: a allows, d denies",
  question: "waits for your answer: a allows, d denies with a word",
  circuit: "is held up by a circuit breaker: x resets it",
  approval: "waits for your approval: a approves, d denies, enter shows the output",
  conflict: "does not fit its base any more: r has its agent resolve it, w goes into its window",
  budget: "has used up its budget: r tries it again once there is more",
  blocked: "is blocked: r tries it again, s stops it",
  failed: "failed: enter shows the output, r tries it again, x dismisses this",
  alert: "x dismisses this once you have seen to it",
  review: "waits for a review of its pull request",
};

function ofTask({ now }: State, { record: task, run }: Extract<Entry, { of: "task" }>): Shown[] {
  const { usage, priority, message, attempt, attemptMax, stage, workflow, pullRequest } = task;
  const said = message === null ? show`` : show`: ${message}`;
  return [
    show`${painted("bold", task.key)} ${task.title}`,
    show`${statusOf(task)}${said}`,
    show`${stage} of ${workflow}, attempt ${attempt} of ${attemptMax}, priority ${priority}, created ${ago(task.createdAt, now)}`,
    ...(run?.state && run.outcome === null ? [describeState(run.state, now)] : []),
    ...(run?.outcome ? [describeOutcome(run.outcome), ...reportOf(run.outcome)] : []),
    ...(pullRequest === null ? [] : [show`${painted("cyan", pullRequest.url)}`]),
    ...usageOf(usage),
  ];
}

function usageOf({ inputTokens, outputTokens, costUsdMicros }: Task["usage"]): Shown[] {
  if (inputTokens + outputTokens === 0) return [];
  return [show`${count(inputTokens)} tokens in, ${count(outputTokens)} out, ${money(costUsdMicros)}`];
}

function reportOf(outcome: RunOutcome): Shown[] {
  return "report" in outcome && outcome.report ? [Shown.lines(outcome.report)] : [];
}
