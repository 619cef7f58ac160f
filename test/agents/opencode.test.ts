import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeDriver, DONE, openBench, PROMPT, taskScript } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realOpencode } from "../support/real-agents.ts";
import { writeFiles } from "../support/repository.ts";

describe.skipIf(!needs("opencode", "network-namespace").ok)("OpenCode", () => {
  describeDriver("opencode", realOpencode);

  test("a login is used where the person has it, and nothing else is written there", async () => {
    const { start, home, model } = await openBench(realOpencode, taskScript(DONE));
    writeFiles(home, { ".local/share/opencode/auth.json": JSON.stringify({ mock: { type: "api", key: "key-of-the-login" } }) });
    expect((await (await start({ prompt: PROMPT, env: { MOCK_API_KEY: "" } })).conclude()).verdict).toEqual({ ok: true });
    expect(model.journal[0]?.headers.authorization).toBe("Bearer key-of-the-login");
    expect(await readdir(join(home, ".local/share/opencode"))).toEqual(["auth.json"]);
  });
});
