import fc from "fast-check";
import { expect, test } from "vitest";
import { admitToMachine, admitToMemory, type MemoryFacts } from "./admission.ts";

const MB = 2 ** 20;
const calm = { running: 2, cpuPercent: 10, maxCpuPercent: 80, stalledPercent: 0 };
const facts: MemoryFacts = { maxBytes: 1000 * MB, running: [], learnedBytes: 0, availableBytes: null };

test("an agent is started on a machine that is at ease, and on one that does not tell", () => {
  expect(admitToMachine(calm)).toEqual({ admitted: true });
  expect(admitToMachine({ ...calm, stalledPercent: null })).toEqual({ admitted: true });
});

test("none is started while the agents use the processors up, and while programs stand still for want of memory", () => {
  expect(admitToMachine({ ...calm, cpuPercent: 80 })).toEqual({
    admitted: false,
    why: "agents use 80 % of the processors, the limit is 80 %",
  });
  expect(admitToMachine({ ...calm, running: 0, stalledPercent: 20.4 })).toEqual({
    admitted: false,
    why: "programs stand still for want of memory 20 % of the time",
  });
});

test("each agent counts with what it takes, or with what was learned where that is more", () => {
  const running = [
    { usedBytes: 300 * MB, learnedBytes: 100 * MB },
    { usedBytes: 100 * MB, learnedBytes: 400 * MB },
  ];
  expect(admitToMemory({ ...facts, running, learnedBytes: 300 * MB })).toEqual({ admitted: true });
  expect(admitToMemory({ ...facts, running, learnedBytes: 301 * MB })).toEqual({
    admitted: false,
    why: "agents take 700 of 1000 MB, the next one may take 301 MB",
  });
});

test("of what nothing is known, something is assumed: a thousand agents that have just started are not nothing", () => {
  const running = Array.from({ length: 15 }, () => ({ usedBytes: 0, learnedBytes: 0 }));
  expect(admitToMemory({ ...facts, running: running.slice(1) })).toEqual({ admitted: true });
  expect(admitToMemory({ ...facts, running })).toMatchObject({ admitted: false });
});

test("what the machine cannot give is not counted on", () => {
  const running = [{ usedBytes: 100 * MB, learnedBytes: 0 }];
  expect(admitToMemory({ ...facts, running, learnedBytes: 200 * MB, availableBytes: 150 * MB })).toEqual({
    admitted: false,
    why: "150 MB are available, the next agent may take 200 MB",
  });
});

const bytes = fc.integer({ min: 0, max: 8000 * MB });
const someFacts = fc.record({
  maxBytes: fc.integer({ min: 64 * MB, max: 8000 * MB }),
  running: fc.array(fc.record({ usedBytes: bytes, learnedBytes: bytes }), { maxLength: 10 }),
  learnedBytes: bytes,
  availableBytes: fc.option(bytes),
});

test("one alone is always started, whatever it may take", () => {
  fc.assert(fc.property(someFacts, (some) => admitToMemory({ ...some, running: [] }).admitted));
});

test("beside others, none is started by which all together could pass the limit", () => {
  fc.assert(
    fc.property(someFacts, (some) => {
      const { running, learnedBytes, maxBytes } = some;
      const together = running.reduce((sum, one) => sum + Math.max(one.usedBytes, one.learnedBytes), learnedBytes);
      return running.length === 0 || !admitToMemory(some).admitted || together <= maxBytes;
    }),
  );
});
