import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findCycle, type Dependency } from "./dependencies.ts";

const edge = (task: string, dependsOn: string): Dependency<string> => ({ task, dependsOn });

describe("finding a cycle of dependencies", () => {
  test("names its members, each depending on the next", () => {
    expect(findCycle([edge("a", "b"), edge("b", "c"), edge("c", "a")])).toEqual(["a", "b", "c"]);
    expect(findCycle([edge("x", "a"), edge("a", "b"), edge("b", "a")])).toEqual(["a", "b"]);
    expect(findCycle([edge("a", "a")])).toEqual(["a"]);
  });

  test("finds none in a diamond", () => {
    expect(findCycle([edge("d", "b"), edge("d", "c"), edge("b", "a"), edge("c", "a")])).toBeUndefined();
  });

  test("takes a chain of 20,000 tasks", () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => edge(`t${index}`, `t${index + 1}`));
    expect(findCycle(chain)).toBeUndefined();
    expect(findCycle([...chain, edge("t20000", "t0")])).toHaveLength(20_001);
  });

  test("finds one exactly when there is no order to do the tasks in, and what it names is one", () => {
    const name = fc.constantFrom("a", "b", "c", "d", "e", "f", "g");
    const edges = fc.array(fc.record({ task: name, dependsOn: name }), { maxLength: 14 });
    fc.assert(
      fc.property(edges, (all) => {
        const cycle = findCycle(all);
        expect(cycle === undefined).toBe(canBeOrdered(all));
        const steps = cycle?.map((task, index) => edge(task, cycle[(index + 1) % cycle.length] ?? task)) ?? [];
        expect(all).toEqual(expect.arrayContaining(steps));
      }),
      { numRuns: 500 },
    );
  });
});

/** Takes away what depends on nothing, again and again; a cycle is what stays. */
function canBeOrdered(edges: readonly Dependency<string>[]): boolean {
  let left = edges;
  for (;;) {
    const waiting = new Set(left.map(({ task }) => task));
    const next = left.filter(({ dependsOn }) => waiting.has(dependsOn));
    if (next.length === left.length) return left.length === 0;
    left = next;
  }
}
