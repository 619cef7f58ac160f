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
        reports: [],
        durationMs: 0,
      },
      { name: "plan", task: "plan#1", status: "succeeded", branch: "drover/1-count-the-words-of-a-text", reports: [], durationMs: 0 },
      {
        name: "review",
        task: "review#1",
        status: "succeeded",
        branch: null,
        reports: [{ verdict: "issue", summary: expect.stringMatching(/^The discount gives half cents/) }],
        durationMs: 0,
      },
    ]);
    expect(said).toContain("  plan#1  approved, as a person would");
    expect(said.filter((line) => line.startsWith("  plan#1  test on the result"))).toEqual(["  plan#1  test on the result: passes"]);
    expect(await readdir(own)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    await rm(own, { recursive: true });
  }
});

test("an example that there is not is refused with those that there are", async () => {
  const options = { env: process.env, say: () => {}, signal: new AbortController().signal };
  await expect(runExamples(["nope"], options)).rejects.toMatchObject({
    code: "not_found",
    message: 'There is no example "nope". There is: careful, plan, review.',
  });
});
