import { describe, expect, test } from "vitest";
import { describeDriver, DONE, openBench, PROMPT, taskScript, WRITE } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realGemini } from "../support/real-agents.ts";
import { outlineOf, toldHooks } from "../support/told-hooks.ts";

describe.skipIf(!needs("gemini", "network-namespace").ok)("Gemini CLI", () => {
  describeDriver("gemini", realGemini);

  test("its hooks tell what it does: its session, its turn, each use of a tool with its input and result", async () => {
    const bench = await openBench(realGemini, taskScript(WRITE, { calls: [{ kind: "run", command: "exit 3" }] }, DONE));
    expect((await (await bench.start({ prompt: PROMPT, reportsHooks: true })).conclude()).verdict).toEqual({ ok: true });
    const told = await toldHooks(bench);
    expect(outlineOf(told)).toEqual([
      "session SessionStart",
      "session BeforeAgent",
      "tool AfterTool write_file",
      "tool AfterTool run_shell_command",
      "session AfterAgent",
      "session SessionEnd",
    ]);
    expect(told[2]?.detail).toMatchObject({
      tool_input: { file_path: "sum.mjs", content: expect.stringContaining("a + b") },
      tool_response: { llmContent: expect.stringContaining("Successfully created") },
    });
  });
});
