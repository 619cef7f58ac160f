import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { describeDriver, DONE, openBench, PROMPT, taskScript, WRITE } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realOpencode } from "../support/real-agents.ts";
import { writeFiles } from "../support/repository.ts";
import { outlineOf, toldHooks } from "../support/told-hooks.ts";

describe.skipIf(!needs("opencode", "network-namespace").ok)("OpenCode", () => {
  describeDriver("opencode", realOpencode);

  test("its plugin tells what it does: its session, each use of a tool with its input and result, failures, retries", async () => {
    const denied: ModelStep = { calls: [{ kind: "write", path: "../outside.txt", content: "x" }] };
    const retried: ModelStep = { ...DONE, trouble: { kind: "error", status: 529, headers: { "retry-after-ms": "20" }, times: 1 } };
    const bench = await openBench(realOpencode, taskScript(WRITE, denied, retried));
    expect((await (await bench.start({ prompt: PROMPT, reportsHooks: true })).conclude()).verdict).toEqual({ ok: true });
    const told = await toldHooks(bench);
    expect(outlineOf(told)).toEqual([
      "session session.created",
      "tool tool.execute.after write",
      "error tool.execute.error write",
      "state session.status",
      "state session.idle",
    ]);
    expect(told[1]?.detail).toMatchObject({
      tool_input: { filePath: "sum.mjs", content: expect.stringContaining("a + b") },
      tool_response: { output: "Wrote file successfully." },
    });
    expect(told[2]?.detail).toMatchObject({
      tool_input: { filePath: "../outside.txt" },
      error: expect.stringContaining("external_directory"),
    });
    expect(told[3]?.detail).toMatchObject({ status: { type: "retry", attempt: 1, message: expect.any(String) } });
  });

  test("it installs no package in its configuration", async () => {
    const { start, folder } = await openBench(realOpencode, taskScript(DONE));
    await (await start({ prompt: PROMPT, reportsHooks: true })).conclude();
    expect(await readdir(join(folder, "config/settings/opencode/node_modules"))).toEqual(["README"]);
  });

  test("a login is used where the person has it, and nothing else is written there", async () => {
    const { start, home, model } = await openBench(realOpencode, taskScript(DONE));
    writeFiles(home, { ".local/share/opencode/auth.json": JSON.stringify({ mock: { type: "api", key: "key-of-the-login" } }) });
    expect((await (await start({ prompt: PROMPT, env: { MOCK_API_KEY: "" } })).conclude()).verdict).toEqual({ ok: true });
    expect(model.journal[0]?.headers.authorization).toBe("Bearer key-of-the-login");
    expect(await readdir(join(home, ".local/share/opencode"))).toEqual(["auth.json"]);
  });
});
