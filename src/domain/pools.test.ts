import fc from "fast-check";
import { expect, test } from "vitest";
import { namedPool, Pools, workflowPool } from "./pools.ts";

const sizes: Readonly<Record<string, number>> = { "pool:gpu": 1, "pool:db": 2, "workflow:tdd": 2 };
const poolsWith = (taken: Readonly<Record<string, number>> = {}) =>
  new Pools({ sizeOf: (pool) => sizes[pool], taken: new Map(Object.entries(taken)) });
const [gpu, db, tdd] = [namedPool("gpu"), namedPool("db"), workflowPool("tdd")];

test("a full pool holds up those who need it, and says so", () => {
  const pools = poolsWith({ [gpu]: 1, [tdd]: 1 });
  expect(pools.hold({ key: "a", pools: [tdd, gpu] })).toEqual({
    reason: "pool",
    message: "The pool gpu is full: 1 of 1 runs.",
    until: null,
  });
  expect(pools.hold({ key: "b", pools: [tdd, db] })).toBeUndefined();
  pools.take([tdd, db]);
  expect(pools.hold({ key: "c", pools: [tdd] })?.message).toBe("The pool of workflow tdd is full: 2 of 2 runs.");
  expect(pools.hold({ key: "d", pools: [db] })).toBeUndefined();
  expect(pools.hold({ key: "e", pools: [] })).toBeUndefined();
});

test("a pool that was made smaller than what is in it lets nobody in", () => {
  expect(poolsWith({ [gpu]: 3 }).hold({ key: "a", pools: [gpu] })?.message).toBe("The pool gpu is full: 3 of 1 runs.");
});

test("who needs a pool that does not exist waits, and no place is kept for him", () => {
  const pools = poolsWith();
  pools.keepFor([{ key: "a", pools: [db, "pool:moon"], since: 1 }]);
  expect(pools.hold({ key: "a", pools: [db, "pool:moon"] })?.message).toBe("There is no pool moon: add it to pools in the configuration.");
  pools.take([db]);
  expect(pools.hold({ key: "b", pools: [db] })).toBeUndefined();
});

test("places are kept for those who have waited too long, the longest first", () => {
  const pools = poolsWith({ [gpu]: 1, [db]: 1 });
  pools.keepFor([
    { key: "younger", pools: [db], since: 2 },
    { key: "older", pools: [gpu, db], since: 1 },
  ]);
  const kept = "The pool db has 1 places free, kept for those who have waited longer.";
  expect(pools.hold({ key: "new", pools: [db] })?.message).toBe(kept);
  expect(pools.hold({ key: "younger", pools: [db] })?.message).toBe(kept);
  expect(pools.hold({ key: "older", pools: [gpu, db] })?.message).toBe("The pool gpu is full: 1 of 1 runs.");
  expect(pools.hold({ key: "new", pools: [tdd] })).toBeUndefined();
});

test("of those who have waited equally long one is first", () => {
  const pools = poolsWith({ [db]: 1 });
  pools.keepFor(["b", "a"].map((key) => ({ key, pools: [db], since: 1 })));
  expect(["a", "b"].map((key) => pools.hold({ key, pools: [db] }) === undefined)).toEqual([true, false]);
});

test("whoever wants what, no pool is ever overfull, and the longest waiting starts as soon as what runs has ended", () => {
  const wish = fc.uniqueArray(fc.constantFrom(gpu, db, tdd), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(wish, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(20), { maxLength: 60 }), (wishes, moves) => {
      let waiting = wishes.map((pools, since) => ({ key: `k${since}`, pools, since }));
      let running: (readonly string[])[] = [];
      const taken = () => Object.fromEntries([gpu, db, tdd].map((pool) => [pool, running.filter((one) => one.includes(pool)).length]));
      const oldest = waiting[0];
      for (const move of moves) {
        if (move % 3 === 0 && running.length > 0) running = running.toSpliced(move % running.length, 1);
        const pools = poolsWith(taken());
        pools.keepFor(waiting);
        const next = waiting[move % Math.max(1, waiting.length)];
        if (next === undefined || pools.hold(next)) continue;
        running = [...running, next.pools];
        waiting = waiting.filter(({ key }) => key !== next.key);
        for (const [pool, count] of Object.entries(taken())) expect(count).toBeLessThanOrEqual(sizes[pool] ?? 0);
      }
      if (oldest === undefined || !waiting.includes(oldest)) return;
      const pools = poolsWith();
      pools.keepFor(waiting);
      expect(pools.hold(oldest)).toBeUndefined();
    }),
  );
});
