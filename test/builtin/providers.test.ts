import { describe, expect, test } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { eventually, failureOf, scriptedModel, workWith, type WorkOptions } from "../support/builtin-work.ts";

const LOOK: ModelStep = {
  text: "I look.",
  calls: [{ kind: "tool", tool: "echo", input: { text: "heron" } }],
  usage: { inputTokens: 700, outputTokens: 20, cacheReadTokens: 300 },
};
const DONE: ModelStep = { text: "Done.", usage: { inputTokens: 50, outputTokens: 5, cacheReadTokens: 1000 } };
const KINDS = ["anthropic", "openai", "google", "openai-compatible"] as const;
type Kind = (typeof KINDS)[number];

async function begin(kind: Kind, steps: readonly ModelStep[], options: WorkOptions = {}) {
  const clock = new ManualClock();
  const { model, journal } = await scriptedModel(kind, { scenarios: [{ when: "TASK:", steps }] }, clock);
  return { ...(await workWith(model, { ...options, clock })), journal };
}

describe.each(KINDS)("a provider of kind %s", (kind) => {
  test("is asked in its own words, streaming, with the tools and their results, and its usage is counted", async () => {
    const { work, lines, journal, chunks } = await begin(kind, [LOOK, DONE]);
    expect(await work("TASK: look.")).toBe("Done.");
    const [called] = lines.filter((line) => line.type === "tool_called");
    expect(lines).toEqual([
      { type: "usage", usage: { inputTokens: 700, outputTokens: 20, cacheReadTokens: 300, costUsdMicros: null } },
      { type: "message", text: "I look." },
      { type: "tool_called", id: called?.id, tool: "echo", input: { text: "heron" } },
      { type: "tool_finished", id: called?.id, tool: "echo", failed: false },
      { type: "usage", usage: { inputTokens: 750, outputTokens: 25, cacheReadTokens: 1300, costUsdMicros: null } },
      { type: "message", text: "Done." },
    ]);
    expect(journal.map(({ turn }) => turn)).toEqual([0, 1]);
    expect(journal[0]?.body).toContain("Says what it is given.");
    expect(journal[0]?.body).toContain("You are a software engineer");
    expect(journal[1]?.body).toContain("echo: heron");
    expect(JSON.stringify(journal[0]?.headers)).toContain("test-key");
    expect(chunks()).toBeGreaterThan(2);
  });

  test("that names a time is left alone so long, and asked again then", async () => {
    const refused: ModelStep = { ...DONE, trouble: { kind: "error", status: 429, headers: { "retry-after": "2" }, times: 1 } };
    const { work, clock, journal, lines } = await begin(kind, [refused]);
    const working = work("TASK: wait.");
    await eventually(() => clock.nextTimerMs).toBe(2000);
    expect(lines).toEqual([{ type: "retrying", attempt: 1, message: "The provider answered 429: scripted error", status: 429 }]);
    clock.advance(1999);
    expect(journal).toHaveLength(1);
    expect(clock.nextTimerMs).toBe(1);
    clock.advance(1);
    expect(await working).toBe("Done.");
    expect(journal.map(({ at }) => at - (journal[0]?.at ?? 0))).toEqual([0, 2000]);
  });

  test("that names a time too long for a run is at its limit until then", async () => {
    const refused: ModelStep = { trouble: { kind: "error", status: 429, headers: { "retry-after": "3600" } } };
    const { work, clock, journal } = await begin(kind, [refused]);
    expect(await failureOf(work("TASK: wait."))).toEqual({
      message: "The provider answered 429: scripted error",
      reason: "usage_limit",
      retryAt: clock.now() + 3_600_000,
    });
    expect(journal).toHaveLength(1);
  });

  test.each([529, 500])("that answers %d for good is overloaded, after waits that grow", async (status) => {
    const { work, clock, journal } = await begin(kind, [{ trouble: { kind: "error", status } }], { limits: { retries: 3 } });
    const failed = failureOf(work("TASK: fail."));
    for (const waitMs of [1500, 3000, 6000]) {
      await eventually(() => clock.nextTimerMs).toBe(waitMs);
      clock.advance(waitMs);
    }
    const message = `The provider answered ${status}: scripted error (asked 4 times)`;
    expect(await failed).toEqual({ message, reason: "overloaded", retryAt: null });
    expect(journal).toHaveLength(4);
  });

  test("that refuses the key is asked no more", async () => {
    const { work, journal } = await begin(kind, [{ trouble: { kind: "error", status: 401 } }]);
    expect(await failureOf(work("TASK: fail."))).toMatchObject({ message: "The provider answered 401: scripted error", reason: "auth" });
    expect(journal).toHaveLength(1);
  });

  test("whose answer breaks off is asked again, and nothing of that answer counts", async () => {
    const { work, clock, lines } = await begin(kind, [{ ...LOOK, trouble: { kind: "cut", times: 1 } }, DONE]);
    const working = work("TASK: look.");
    await eventually(() => clock.nextTimerMs).toBe(1500);
    clock.advance(1500);
    expect(await working).toBe("Done.");
    expect(lines[0]).toMatchObject({ type: "retrying", attempt: 1 });
    expect(lines.filter(({ type }) => type === "tool_called")).toHaveLength(1);
  });

  test("that never answers is given up on, and asked again", async () => {
    const { work, clock, journal, lines } = await begin(kind, [{ ...DONE, trouble: { kind: "hang", times: 1 } }]);
    const working = work("TASK: wait.");
    await eventually(() => journal.length).toBe(1);
    clock.advance(120_000);
    await eventually(() => clock.nextTimerMs).toBe(1500);
    expect(lines).toEqual([
      { type: "retrying", attempt: 1, message: "The model's answer can't be used: The model did not begin to answer within 120 s." },
    ]);
    clock.advance(1500);
    expect(await working).toBe("Done.");
  });
});
