import type { TaskGraph } from "../../contract/routes.ts";

export type GraphTask = TaskGraph["tasks"][number];

export interface Branching {
  readonly task: GraphTask;
  readonly children: readonly Branching[];
}

/** The tasks under what they are parts of; one whose parent is not there stands at the top. */
export function asTrees(tasks: readonly GraphTask[]): Branching[] {
  const ids = new Set(tasks.map(({ id }) => id));
  const byParent = Map.groupBy(tasks, ({ parentId }) => (parentId !== null && ids.has(parentId) ? parentId : null));
  const under = (parent: GraphTask["id"] | null): Branching[] =>
    (byParent.get(parent) ?? []).map((task) => ({ task, children: under(task.id) }));
  return under(null);
}

export interface Placed {
  readonly task: GraphTask;
  readonly column: number;
  readonly row: number;
}

/**
 * Each task in a column to the right of all that it waits for, and under each other in the order they have. Tasks that nothing ties
 * to another are left out: there is nothing to see of them.
 */
export function layOut(tasks: readonly GraphTask[]): Placed[] {
  const byId = new Map<string, GraphTask>(tasks.map((task) => [task.id, task]));
  const isNeeded = new Set<string>(tasks.flatMap(({ dependsOn }) => dependsOn));
  const columns = new Map<string, number>();
  const columnOf = (task: GraphTask): number => {
    const known = columns.get(task.id);
    if (known !== undefined) return known;
    // The daemon refuses circles; should one ever come, it ends here.
    columns.set(task.id, 0);
    const needed = task.dependsOn.flatMap((id) => byId.get(id) ?? []);
    const column = needed.reduce((most, one) => Math.max(most, columnOf(one) + 1), 0);
    columns.set(task.id, column);
    return column;
  };
  const rows = new Map<number, number>();
  const tied = tasks.filter((task) => isNeeded.has(task.id) || task.dependsOn.some((id) => byId.has(id)));
  return tied.map((task) => {
    const column = columnOf(task);
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    return { task, column, row };
  });
}
