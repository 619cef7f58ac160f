/** `task` can't start before `dependsOn` has succeeded. */
export interface Dependency<Id extends string> {
  readonly task: Id;
  readonly dependsOn: Id;
}

/**
 * The members of a cycle in the graph of dependencies, each depending on the next and the last on the first; undefined
 * when there is none. Among several cycles, the first one found by following the edges in the order given.
 */
export function findCycle<Id extends string>(edges: readonly Dependency<Id>[]): Id[] | undefined {
  const needs = new Map<Id, Id[]>();
  for (const { task, dependsOn } of edges) {
    const known = needs.get(task);
    if (known) known.push(dependsOn);
    else needs.set(task, [dependsOn]);
  }
  const cleared = new Set<Id>();
  for (const start of needs.keys()) {
    const cycle = follow(start, needs, cleared);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Depth first with a path of its own instead of the call stack, which a chain of 20,000 tasks would overflow. */
function follow<Id extends string>(start: Id, needs: ReadonlyMap<Id, readonly Id[]>, cleared: Set<Id>): Id[] | undefined {
  const path: { id: Id; next: number }[] = [{ id: start, next: 0 }];
  const onPath = new Set([start]);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const needed = needs.get(top.id)?.[top.next];
    top.next += 1;
    if (needed === undefined) {
      path.pop();
      onPath.delete(top.id);
      cleared.add(top.id);
    } else if (onPath.has(needed)) {
      return path.slice(path.findIndex((one) => one.id === needed)).map((one) => one.id);
    } else if (!cleared.has(needed)) {
      path.push({ id: needed, next: 0 });
      onPath.add(needed);
    }
  }
  return undefined;
}
