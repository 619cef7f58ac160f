import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { runExamples } from "../../src/demo/examples.ts";

vi.setConfig({ testTimeout: 300_000 });

test("all examples run to their end, and leave nothing behind", async () => {
  // Other tests make temporary files at the same time.
  const own = await mkdtemp(join(tmpdir(), "drover-examples-test-"));
  vi.stubEnv("TMPDIR", own);
  const said: string[] = [];
  try {
    const results = await runExamples(null, { env: process.env, say: (line) => said.push(line), signal: new AbortController().signal });
    expect(results.map((result) => ({ ...result, durationMs: 0 }))).toEqual([
      {
        name: "careful",
        task: "careful#1",
        status: "succeeded",
        branch: "drover/1-refuse-a-negative-number-of-pieces",
        pullRequest: expect.any(String) as string,
        reports: [],
        durationMs: 0,
      },
      {
        name: "plan",
        task: "plan#1",
        status: "succeeded",
        branch: "drover/1-count-the-words-of-a-text",
        pullRequest: expect.any(String) as string,
        reports: [],
        durationMs: 0,
      },
      {
        name: "prd",
        task: "prd#1",
        status: "succeeded",
        branch: "drover/1-slugs-and-initials-of-what-people-type",
        pullRequest: expect.any(String) as string,
        reports: [],
        durationMs: 0,
      },
      {
        name: "review",
        task: "review#1",
        status: "succeeded",
        branch: null,
        pullRequest: null,
        reports: [{ verdict: "issue", summary: expect.stringMatching(/^The discount gives half cents/) }],
        durationMs: 0,
      },
    ]);
    expect(said).toContain("  plan#1  approved, as a person would");
    expect(said.filter((line) => line.startsWith("  plan#1  test on the result"))).toEqual(["  plan#1  test on the result: passes"]);
    expectCycles(said, results.find(({ name }) => name === "prd")?.pullRequest ?? "");
    expect(await readdir(own)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    await rm(own, { recursive: true });
  }
});

/** Each task of the PRD went through all gates, and the pull request shows what they saw. */
function expectCycles(said: readonly string[], pullRequest: string): void {
  const gates = (task: string) => said.filter((line) => line.startsWith(`  ${task}  gate`));
  const cycle = (task: string, failing: number) => [
    `  ${task}  gate red: accepted, ${failing} of its tests fail`,
    ...["green", "refactor", "verify"].map((gate) => `  ${task}  gate ${gate}: accepted, 0 of its tests fail`),
  ];
  expect([gates("prd#2"), gates("prd#3")]).toEqual([cycle("prd#2", 2), cycle("prd#3", 1)]);
  const shown = ({ task, before, after }: { task: string; before: string; after: string }) => [
    `<details><summary>Evidence of ${task}</summary>`,
    `Gate red accepted: ${before}`,
    ...["green", "refactor", "verify"].map((gate) => `Gate ${gate} accepted: ${after}`),
  ];
  expect(pullRequest.match(/^(?:<details>|Gate )[^;\n]+/gmu)).toEqual([
    ...shown({ task: "prd#2", before: "2 passed, 2 failed, 0 skipped", after: "4 passed, 0 failed, 0 skipped" }),
    ...shown({ task: "prd#3", before: "2 passed, 1 failed, 0 skipped", after: "3 passed, 0 failed, 0 skipped" }),
  ]);
  expect(pullRequest).toContain("not ok what is neither letter nor digit is left out");
}

test("an example that there is not is refused with those that there are", async () => {
  const options = { env: process.env, say: () => {}, signal: new AbortController().signal };
  await expect(runExamples(["nope"], options)).rejects.toMatchObject({
    code: "not_found",
    message: 'There is no example "nope". There is: careful, plan, prd, review.',
  });
});
