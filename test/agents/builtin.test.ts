import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readHookPayload } from "../../src/agents/hook-payload.ts";
import { readSpool } from "../../src/process/spool.ts";
import { describeDriver, DONE, openBench, PROMPT, taskScript } from "../conformance/driver.ts";
import { builtinSubject } from "../support/builtin-agent.ts";
import { needs } from "../support/needs.ts";

const subject = await builtinSubject("anthropic");

describe.skipIf(!needs("bwrap").ok)("Drover's own agent", () => {
  describeDriver("builtin", subject);

  test("commands do not see the provider's key, wherever they look, and write in the workspace alone", async () => {
    const command = "env > seen.txt; cat /proc/*/environ >> seen.txt 2>/dev/null; touch ../outside; exit 0";
    const { start, workspace, model } = await openBench(subject, taskScript({ calls: [{ kind: "run", command }] }, DONE));
    expect((await (await start({ prompt: PROMPT, env: { GIVEN: "yes" } })).conclude()).verdict).toEqual({ ok: true });
    const seen = await readFile(join(workspace, "seen.txt"), "utf8");
    expect(seen).toContain("GIVEN=yes");
    expect(seen).not.toContain("test-key");
    expect(seen).not.toContain("NODE_COMPILE_CACHE");
    expect(model.journal[0]?.headers["x-api-key"]).toBe("test-key");
    await expect(readFile(join(workspace, "../outside"))).rejects.toThrow("ENOENT");
  });
});

test("with permissions `all`, commands run without a sandbox", async () => {
  const { start, workspace } = await openBench(subject, taskScript({ calls: [{ kind: "run", command: "touch ../outside" }] }, DONE));
  expect((await (await start({ prompt: PROMPT, permissions: "all" })).conclude()).verdict).toEqual({ ok: true });
  expect(await readFile(join(workspace, "../outside"), "utf8")).toBe("");
});

test("a tool that the stage does not list is refused, and told by a hook", async () => {
  const write = { kind: "write", path: "a.txt", content: "a" } as const;
  const { start, folder, model } = await openBench(subject, taskScript({ calls: [write, { kind: "run", command: "true" }] }, DONE));
  const run = await start({ prompt: PROMPT, tools: ["read", "run"], reportsHooks: true, permissions: "all" });
  expect((await run.conclude()).verdict).toEqual({ ok: true });
  const { tools } = JSON.parse(model.journal[0]?.body ?? "{}") as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(["read", "run"]);
  const { records, damaged } = await readSpool(join(folder, "config", "hooks", "spool.jsonl"), 0);
  const message = "The tool write is not allowed at this stage. Allowed are: read, run.";
  expect({ damaged, hooks: records.map((record) => readHookPayload(JSON.parse(record), (text) => text)?.event) }).toEqual({
    damaged: 0,
    hooks: [
      {
        source: "agent",
        category: "error",
        name: "PermissionDenied",
        tool: "write",
        detail: { subject: '{"path":"a.txt","content":"a"}', message },
      },
    ],
  });
});

test("a session that is not there fails the run, saying so", async () => {
  const { start } = await openBench(subject, taskScript(DONE));
  const run = await start({ prompt: PROMPT, sessionId: "0b5c7d1e-5b8e-4a52-9b7e-1f0e6a2c9d11" });
  expect((await run.conclude()).verdict).toMatchObject({
    ok: false,
    reason: "agent_error",
    message: expect.stringContaining("There is no session to go on with"),
  });
});
