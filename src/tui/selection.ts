import { entriesOf } from "./entries.ts";
import { indexOf } from "./list.ts";
import type { Entry, State } from "./state.ts";

/** The entry that a person is at. */
export function selected(state: State): Entry | undefined {
  const { shown } = entriesOf(state);
  return shown[indexOf(shown, state.looking[state.view].place)];
}

/** Id and name of the task that an entry is about. */
export function taskOf(state: State, entry: Entry): { readonly id: string; readonly key: string } | undefined {
  if (entry.of === "task") return entry.record;
  if (entry.of === "audit" || entry.record.taskId === null) return undefined;
  const known = state.facts.tasks.get(entry.record.taskId);
  return known ?? { id: entry.record.taskId, key: entry.of === "item" ? entry.record.subject : "the task" };
}

/** The run that an entry is about: its own, or the newest of its task. */
export function runOf(state: State, entry: Entry): string | undefined {
  if (entry.of === "audit") return undefined;
  if (entry.of !== "task" && entry.record.runId !== null) return entry.record.runId;
  return state.facts.newestRuns.get(taskOf(state, entry)?.id ?? "")?.id;
}
