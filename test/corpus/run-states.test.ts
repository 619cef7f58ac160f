import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readHookPayload } from "../../src/agents/hook-payload.ts";
import { createDrivers } from "../../src/agents/registry.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Config } from "../../src/contract/config.ts";
import { RunStateName, type RunState } from "../../src/contract/run.ts";
import { newFacts, observe, type Observation, type RunFacts } from "../../src/domain/run-facts.ts";
import { deriveState } from "../../src/domain/run-state.ts";
import { observationOf, observationOfHook } from "../../src/engine/observations.ts";
import type { Seen, Situation } from "./situation.ts";

const folder = join(import.meta.dirname, "run-states");
const drivers = createDrivers(systemClock, folder, () => Config.parse({}));
const asIs = (text: string) => text;

interface Judged {
  readonly name: string;
  readonly at: number;
  readonly expected: RunStateName;
  readonly concluded: RunState;
}

const situations = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => ({ name: file.replace(/\.json$/u, ""), situation: JSON.parse(readFileSync(join(folder, file), "utf8")) as Situation }));

/** What is concluded at each moment at which the truth is known, from nothing but what had been seen by then. */
function judge({ name, situation }: (typeof situations)[number]): Judged[] {
  const reader = drivers.get(situation.driver)?.openReader();
  if (!reader) throw new Error(`${name} names the driver ${situation.driver}, which does not exist.`);
  let facts = newFacts(0);
  let state: RunState | null = null;
  const seen = situation.seen.map((one) => ({ at: one[0], observations: () => observationsOf(one, reader) }));
  return situation.expect.map(([at, expected]) => {
    while (seen[0] && seen[0].at <= at) {
      for (const observation of seen.shift()?.observations() ?? []) facts = observe(facts, observation);
      state = concluded(facts, situation, at, state);
    }
    return { name, at, expected, concluded: concluded(facts, situation, at, state) };
  });
}

function concluded(facts: RunFacts, { limits }: Situation, at: number, before: RunState | null): RunState {
  return deriveState(facts, limits, at, before);
}

function observationsOf(
  [at, ...[kind, what]]: Seen,
  reader: ReturnType<NonNullable<ReturnType<typeof drivers.get>>["openReader"]>,
): Observation[] {
  switch (kind) {
    case "line":
      return [...reader.read(what).map((event) => observationOf(event, at, asIs)), { kind: "output", at }];
    case "hook": {
      const hook = readHookPayload(what, asIs);
      return hook ? [observationOfHook(hook, at)] : [];
    }
    case "answered":
      return [{ kind: "question_answered", at, id: what }];
    case "look":
      return [{ kind: "look", at, ...what }];
    case "files":
      return [{ kind: "files", at, changedAt: Math.min(at, what) }];
    case "ended": {
      const { verdict } = reader.conclude(what);
      return [{ kind: "ended", at, reason: verdict.ok ? "completed" : verdict.reason, exitCode: what.exitCode }];
    }
  }
}

const judged = situations.flatMap(judge);

test("there are at least 60 situations, and among them every agent and every state", () => {
  expect(situations.length).toBeGreaterThanOrEqual(60);
  expect([...new Set(situations.map(({ situation }) => situation.agent))].toSorted()).toEqual([
    "claude",
    "codex",
    "command",
    "gemini",
    "opencode",
  ]);
  expect([...new Set(judged.map(({ expected }) => expected))].toSorted()).toEqual(RunStateName.options.toSorted());
});

/** Claude Code names a connection that broke as it names a provider that has too much to do. */
const KNOWN_WRONG = ["claude-recorded-cut-off"];

test("each state is concluded where it is true, and nowhere else", () => {
  const rows = RunStateName.options.map((state) => {
    const expected = judged.filter((one) => one.expected === state);
    const concludedSo = judged.filter((one) => one.concluded.state === state);
    const right = expected.filter((one) => one.concluded.state === state).length;
    return {
      state,
      moments: expected.length,
      precision: right / Math.max(1, concludedSo.length),
      recall: right / Math.max(1, expected.length),
    };
  });
  console.log(
    rows
      .map(
        ({ state, moments, precision, recall }) =>
          `${state.padEnd(20)} ${moments} moments, precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}`,
      )
      .join("\n"),
  );
  const wrong = judged.filter((one) => one.concluded.state !== one.expected && !KNOWN_WRONG.includes(one.name));
  expect(
    wrong.map(
      ({ name, at, expected, concluded: { state, evidence } }) =>
        `${name} at ${at}: ${expected}, concluded ${state} (${evidence.join("; ")})`,
    ),
  ).toEqual([]);
});

test.each(situations)("$name: whatever is concluded has its evidence, a time and a confidence", ({ name, situation }) => {
  for (const { at, concluded: state } of judge({ name, situation })) {
    expect(state.evidence.length).toBeGreaterThan(0);
    expect(state.since).toBeLessThanOrEqual(at);
    expect(state.confidence).toBeGreaterThan(0);
  }
});
