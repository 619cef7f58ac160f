import { rankAttention, type AttentionKind } from "../contract/attention.ts";
import type { Task, TaskStatus } from "../contract/task.ts";
import type { Facts } from "./facts.ts";
import type { Entry, State, ViewName } from "./state.ts";

interface Filter {
  readonly name: string;
  readonly keeps: (entry: Entry) => boolean;
}

const everything: Filter = { name: "all", keeps: () => true };
/** The other kind of records: no part of the events. */
const AUDIT: Filter = { ...everything, name: "audit log" };
const ofKinds = (name: string, ...kinds: AttentionKind[]): Filter => ({
  name,
  keeps: (entry) => entry.of === "item" && kinds.includes(entry.record.kind),
});
const ofStatus = (name: string, ...statuses: TaskStatus[]): Filter => ({
  name,
  keeps: (entry) => entry.of === "task" && statuses.includes(entry.record.status),
});

/** The filters of each view, through which one key goes. */
export const filters: Readonly<Record<ViewName, readonly Filter[]>> = {
  attention: [
    everything,
    ofKinds("questions", "permission", "question"),
    ofKinds("decisions", "approval", "conflict", "budget", "blocked"),
    ofKinds("failures", "failed", "alert", "circuit"),
    ofKinds("reviews", "review"),
  ],
  chat: [everything],
  plan: [everything, ofStatus("open", "draft", "queued", "running", "waiting", "blocked")],
  executions: [
    everything,
    ofStatus("open", "queued", "running", "waiting", "blocked"),
    ofStatus("running", "running"),
    ofStatus("failed", "failed"),
    ofStatus("ended", "succeeded", "failed", "cancelled"),
  ],
  records: [{ ...everything, name: "events" }, AUDIT],
};

export function filterOf(state: State): Filter {
  const own = filters[state.view];
  return own[state.looking[state.view].filter % own.length] ?? everything;
}

/** The entries of the view that pass its filter, in their order, and how many there are besides. The last answer is kept: a frame asks often. */
export function entriesOf(state: State): { readonly shown: readonly Entry[]; readonly total: number } {
  const { facts, view, projectId, looking } = state;
  const { search, filter } = looking[view];
  if (
    last &&
    last.facts === facts &&
    last.view === view &&
    last.projectId === projectId &&
    last.search === search &&
    last.filter === filter
  )
    return last.result;
  const all = allEntries(state).filter((entry) => isOf(entry, projectId));
  const { keeps } = filterOf(state);
  const isFound = (entry: Entry, word: string) => textOf(entry.record).includes(word) || subjectOf(facts, entry).includes(word);
  const words = search.toLowerCase().split(" ").filter(Boolean);
  const shown = all.filter((entry) => keeps(entry) && words.every((word) => isFound(entry, word)));
  const result = { shown, total: all.length };
  last = { facts, view, projectId, search, filter, result };
  return result;
}

let last:
  | {
      facts: Facts;
      view: ViewName;
      projectId: string | null;
      search: string;
      filter: number;
      result: { shown: readonly Entry[]; total: number };
    }
  | undefined;

function allEntries(state: State): readonly Entry[] {
  const { facts } = state;
  switch (state.view) {
    case "attention":
      return attention(facts);
    case "chat":
      return [];
    case "plan":
      return cascade(facts);
    case "executions":
      return executions(facts);
    case "records":
      return filterOf(state) === AUDIT ? audited(facts) : happened(facts);
  }
}

function attention({ tasks, runs, alerts, circuits, branches }: Facts): Entry[] {
  const facts = { tasks: [...tasks.values()], runs: [...runs.values()], alerts, circuits, branches };
  return rankAttention(facts).map((record) => ({ id: record.id, of: "item", record }));
}

/** What has ended comes behind these, and drafts, which nobody wants yet, behind that. */
const statusOrder = ["running", "blocked", "queued", "waiting"] as const satisfies readonly TaskStatus[];

/** What is open first, by how far it is; what has ended by when. */
function executions(facts: Facts): Entry[] {
  const rank = (task: Task) => {
    const place = (statusOrder as readonly TaskStatus[]).indexOf(task.status);
    return place !== -1 ? place : hasEnded(task) ? statusOrder.length : statusOrder.length + 1;
  };
  return [...facts.tasks.values()]
    .toSorted(
      (one, other) =>
        rank(one) - rank(other) ||
        (other.finishedAt ?? 0) - (one.finishedAt ?? 0) ||
        other.priority - one.priority ||
        (one.id < other.id ? 1 : -1),
    )
    .map((task) => ofTask(facts, task, 0));
}

/** Plans with what they yielded, parents before their children. */
function cascade(facts: Facts): Entry[] {
  const children = Map.groupBy(facts.tasks.values(), ({ parentId }) => parentId);
  const under = (task: Task, depth: number): Entry[] => [
    ofTask(facts, task, depth),
    ...(children.get(task.id) ?? []).toSorted(byAge).flatMap((child) => under(child, depth + 1)),
  ];
  const isRoot = (task: Task) => task.parentId === null || !facts.tasks.has(task.parentId);
  const isPlan = (task: Task) => task.workflow === "plan" || task.parentId !== null || children.has(task.id);
  return [...facts.tasks.values()]
    .filter((task) => isRoot(task) && isPlan(task))
    .toSorted((one, other) => byAge(other, one))
    .flatMap((root) => under(root, 0));
}

function happened({ events }: Facts): Entry[] {
  return events.map((record) => ({ id: `event:${record.sequence}`, of: "event", record }));
}

function audited({ audit }: Facts): Entry[] {
  return audit.map((record) => ({ id: `audit:${record.sequence}`, of: "audit", record }));
}

function ofTask(facts: Facts, record: Task, depth: number): Entry {
  return { id: record.id, of: "task", record, run: facts.newestRuns.get(record.id), depth };
}

function byAge(one: Task, other: Task): number {
  return one.number - other.number || (one.id < other.id ? -1 : 1);
}

function hasEnded({ status }: Task): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}

function isOf(entry: Entry, projectId: string | null): boolean {
  if (projectId === null) return true;
  // Of what no project owns a person may have to know whichever project they look at.
  return entry.of === "audit" || entry.record.projectId === projectId || (entry.of === "item" && entry.record.projectId === null);
}

const texts = new WeakMap<object, string>();

/** An id or the hash of a commit: any digit that is searched for is in one of them. */
const MACHINE_NAME = /^(?:[a-z]+_)?[\da-f-]{32,64}$/u;

/** What can be searched for, in small letters: every text of a record but the request itself, which says everything, and names of machines. */
function textOf(record: Entry["record"]): string {
  const known = texts.get(record);
  if (known !== undefined) return known;
  const { body: _body, ...rest } = record as Record<string, unknown>;
  const text = textsIn(rest).join(" ").toLowerCase();
  texts.set(record, text);
  return text;
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return MACHINE_NAME.test(value) ? [] : [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** What a record is about, as people name it: an event says it by ids alone. */
export function subjectOf({ tasks, projects }: Facts, { of, record }: Entry): string {
  if (of === "audit" || of === "item") return record.subject;
  if (of === "task") return record.key;
  return tasks.get(record.taskId ?? "")?.key ?? projects.find(({ id }) => id === record.projectId)?.name ?? "";
}
