import type { AttentionKind } from "../../contract/attention.ts";
import type { Run } from "../../contract/run.ts";
import type { Task } from "../../contract/task.ts";
import { stateName } from "../../words/describe-state.ts";
import { describeEventData } from "../../words/describe-event.ts";
import { statusOf } from "../../words/describe-task.ts";
import { dateTime, inOneUnit, money } from "../../words/format.ts";
import { painted, show, Shown, type Paint } from "../../words/shown.ts";
import { subjectOf } from "../entries.ts";
import type { Cell } from "../line.ts";
import type { Entry, State } from "../state.ts";

/** From this width on there is room for what is only good to know. */
const WIDE = 110;
const TASK = 10;

/** The names of the columns, as cells of the same widths as those of the rows. */
export function columnNames({ view, columns, looking }: State): Cell[] {
  const isWide = columns >= WIDE;
  const names: [string, number][] =
    view === "attention"
      ? [
          ["NEEDS", 10],
          ["WHAT", TASK + 4],
          ["FOR", 7],
          ["", 0],
        ]
      : view === "records"
        ? looking.records.filter % 2 === 1
          ? [
              ["WHEN", isWide ? 19 : 8],
              ["WHO", 8],
              ["WHAT", 18],
              ["TO", 0],
            ]
          : [
              ["WHEN", isWide ? 19 : 8],
              ["ABOUT", TASK],
              ["EVENT", 19],
              ["", 0],
            ]
        : [
            ["TASK", view === "plan" ? 14 : TASK],
            ["STATUS", 18],
            ...(isWide ? ([["STAGE", 12]] as [string, number][]) : []),
            ["AGENT", 8],
            ["TIME", 6],
            ["COST", 6],
            ["TITLE", 0],
          ];
  return names.map(([name, width]) => ({ shown: painted("dim", name), width }));
}

/** An entry as the cells of a row. */
export function rowOf(state: State, entry: Entry): Cell[] {
  const shown = cellsOf(state, entry);
  return columnNames(state).map(({ width }, index) => ({ shown: shown[index] ?? show``, width }));
}

function cellsOf(state: State, entry: Entry): Shown[] {
  const { now, columns, facts } = state;
  const when = (at: number) => painted("dim", columns >= WIDE ? dateTime(at) : dateTime(at).slice(11));
  switch (entry.of) {
    case "item": {
      const { kind, subject, since, text } = entry.record;
      return [
        painted(kindPaints[kind], kind),
        painted("bold", subject),
        show`${since === 0 ? "" : inOneUnit(Math.max(0, now - since))}`,
        show`${text}`,
      ];
    }
    case "task":
      return taskCells(entry.record, entry.run, entry.depth, columns >= WIDE, now);
    case "event":
      return [
        when(entry.record.at),
        painted("bold", subjectOf(facts, entry)),
        Shown.line(entry.record.type),
        describeEventData(entry.record),
      ];
    case "audit": {
      const { at, actor, action, subject, detail } = entry.record;
      return [
        when(at),
        show`${actor}`,
        painted("bold", action),
        show`${subject} ${Object.keys(detail).length === 0 ? "" : JSON.stringify(detail)}`,
      ];
    }
  }
}

const kindPaints: Readonly<Record<AttentionKind, Paint>> = {
  permission: "yellow",
  question: "yellow",
  circuit: "red",
  approval: "yellow",
  conflict: "red",
  budget: "red",
  blocked: "yellow",
  failed: "red",
  alert: "red",
  review: "cyan",
};

function taskCells(task: Task, run: Run | undefined, depth: number, isWide: boolean, now: number): Shown[] {
  const key = Shown.join([Shown.lines("  ".repeat(depth)), painted("bold", task.key)]);
  const stage = isWide ? [show`${task.stage}`] : [];
  const cost = money(task.usage.costUsdMicros);
  return [key, doing(task, run), ...stage, show`${run?.agent ?? "-"}`, show`${timeOf(task, run, now)}`, show`${cost}`, show`${task.title}`];
}

/** What a task does now, as far as more is known than its status. */
function doing(task: Task, run: Run | undefined): Shown {
  if (task.status !== "running" || run === undefined || run.outcome !== null) return statusOf(task);
  return run.state === null || run.state.state === "running" ? painted("cyan", run.progress) : stateName(run.state);
}

/** How long its run has taken so far; of a task that ended, how long it took as a whole. */
function timeOf(task: Task, run: Run | undefined, now: number): string {
  if (task.status === "running" && run) return inOneUnit(Math.max(0, now - run.startedAt));
  if (task.finishedAt !== null && task.startedAt !== null) return inOneUnit(task.finishedAt - task.startedAt);
  return "-";
}
