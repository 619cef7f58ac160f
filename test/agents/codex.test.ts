import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { describeDriver, DONE, openBench, PROMPT, taskScript, WRITE } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realCodex } from "../support/real-agents.ts";
import { writeFiles } from "../support/repository.ts";
import { outlineOf, toldHooks } from "../support/told-hooks.ts";

describe.skipIf(!needs("codex", "network-namespace").ok)("Codex", () => {
  describeDriver("codex", realCodex);

  test("commands write in the workspace and the task's temporary folder, and nowhere else unless everything is allowed", async () => {
    // The workspace of this test lies in the machine's temporary folder.
    const command = "touch inside; touch ../outside; touch $TMPDIR/temporary; exit 0";
    const { start, workspace, folder } = await openBench(realCodex, taskScript({ calls: [{ kind: "run", command }] }, DONE));
    expect((await (await start({ prompt: PROMPT })).conclude()).verdict).toEqual({ ok: true });
    expect(await readdir(workspace)).toContain("inside");
    expect(await readdir(join(folder, "config", "tmp"))).toContain("temporary");
    expect(existsSync(join(folder, "outside"))).toBe(false);
    expect((await (await start({ prompt: PROMPT, permissions: "all" })).conclude()).verdict).toEqual({ ok: true });
    expect(existsSync(join(folder, "outside"))).toBe(true);
  });

  test("its hooks tell what it does: its session, its turn, each use of a tool with its input and result", async () => {
    const fails: ModelStep = { calls: [{ kind: "run", command: "exit 3" }] };
    const bench = await openBench(realCodex, taskScript(WRITE, fails, DONE));
    const run = await bench.start({ prompt: PROMPT, reportsHooks: true });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    const told = await toldHooks(bench);
    expect(outlineOf(told)).toEqual([
      "session SessionStart",
      "session UserPromptSubmit",
      "tool PostToolUse apply_patch",
      "tool PostToolUse Bash",
      "session Stop",
      "session SessionEnd",
    ]);
    expect(told[2]?.detail).toMatchObject({
      tool_input: { command: expect.stringContaining("sum.mjs") },
      tool_response: expect.stringContaining("Success"),
    });
    // That it runs hooks which nobody has looked at, and which it refuses a longer time, it says where a failure would stand.
    const complaints = run.lines.filter((line) => line.includes('"error"'));
    expect(complaints.filter((line) => !line.includes("hook-trust"))).toEqual([]);
  });

  test("a login is used where the person has it, and nothing else is written there", async () => {
    const { start, home, model } = await openBench(realCodex, taskScript(DONE));
    writeFiles(home, { ".codex/auth.json": JSON.stringify({ auth_mode: "apikey", OPENAI_API_KEY: "key-of-the-login" }) });
    expect((await (await start({ prompt: PROMPT, env: { CODEX_API_KEY: "" } })).conclude()).verdict).toEqual({ ok: true });
    expect(model.journal[0]?.headers.authorization).toBe("Bearer key-of-the-login");
    expect(await readdir(join(home, ".codex"))).toEqual(["auth.json"]);
  });
});
