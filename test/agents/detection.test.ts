import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Driver } from "../../src/agents/driver.ts";
import { AgentConfig } from "../../src/contract/config.ts";
import { openBench, PROMPT, taskScript } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realCodex, realGemini, realOpencode } from "../support/real-agents.ts";
import { temporaryFolder } from "../support/repository.ts";

const { signal } = new AbortController();

interface Subject {
  readonly name: "codex" | "gemini" | "opencode";
  readonly driver: Driver;
  /** What its newest says to `--version`, and one that is too old. */
  readonly versions: { readonly good: string; readonly old: string };
  /** Ways to be logged in: a variable, or a file of the home with its content. */
  readonly logins: readonly ({ readonly variable: string } | { readonly file: string; readonly content: object })[];
  /** Files that are no login. */
  readonly none: readonly { readonly file: string; readonly content: object }[];
}

const subjects: readonly Subject[] = [
  {
    name: "codex",
    driver: realCodex.driver,
    versions: { good: "codex-cli 0.169.0", old: "codex-cli 0.20.0" },
    logins: [
      { variable: "CODEX_API_KEY" },
      { variable: "CODEX_ACCESS_TOKEN" },
      { file: ".codex/auth.json", content: { OPENAI_API_KEY: "key" } },
      { file: ".codex/auth.json", content: { OPENAI_API_KEY: null, tokens: { access_token: "token" } } },
    ],
    none: [{ file: ".codex/auth.json", content: { OPENAI_API_KEY: null, tokens: null } }],
  },
  {
    name: "gemini",
    driver: realGemini.driver,
    versions: { good: "0.61.0", old: "0.8.2" },
    logins: [
      { variable: "GEMINI_API_KEY" },
      { file: ".gemini/oauth_creds.json", content: { access_token: "token", refresh_token: "more" } },
    ],
    none: [{ file: ".gemini/oauth_creds.json", content: {} }],
  },
  {
    name: "opencode",
    driver: realOpencode.driver,
    versions: { good: "1.18.33", old: "1.2.0" },
    logins: [
      { variable: "ANTHROPIC_API_KEY" },
      { file: ".local/share/opencode/auth.json", content: { anthropic: { type: "api", key: "key" } } },
    ],
    none: [{ file: ".local/share/opencode/auth.json", content: {} }],
  },
];

describe.each(subjects)("detecting $name", ({ name, driver, versions, logins, none }) => {
  const agent = AgentConfig.parse({ driver: name });

  /** A home with a program that only knows its version. */
  async function homeWith(version: string): Promise<{ home: string; env: Record<string, string> }> {
    const folder = temporaryFolder();
    onTestFinished(() => folder[Symbol.dispose]());
    await writeFile(join(folder.path, name), `#!/bin/sh\necho '${version}'\n`);
    await chmod(join(folder.path, name), 0o755);
    return { home: folder.path, env: { HOME: folder.path, PATH: `${folder.path}:/usr/bin:/bin` } };
  }

  test("says what to do when there is none", async () => {
    const found = await driver.detect(agent, { PATH: "/nowhere" }, signal);
    expect(found).toEqual({ found: false, message: expect.stringMatching(`There is no program ${name}. Install .*npm install -g`) });
  });

  test("refuses one that is too old, and another program of that name", async () => {
    const old = await homeWith(versions.old);
    expect(await driver.detect(agent, old.env, signal)).toEqual({
      found: false,
      message: expect.stringContaining("or newer is needed. Run:"),
    });
    const other = await homeWith("hello");
    expect(await driver.detect(agent, other.env, signal)).toEqual({ found: false, message: expect.stringContaining("does not answer as") });
  });

  test("tells that nobody is logged in", async () => {
    const { home, env } = await homeWith(versions.good);
    const program = join(home, name);
    const version = /[\d.]+$/u.exec(versions.good)?.[0];
    expect(await driver.detect(agent, env, signal)).toEqual({ found: true, program, version, loggedIn: false });
    for (const { file, content } of none) {
      await mkdir(dirname(join(home, file)), { recursive: true });
      await writeFile(join(home, file), JSON.stringify(content));
      expect(await driver.detect(agent, env, signal)).toMatchObject({ loggedIn: false });
    }
  });

  test.each(logins)("finds the login %o", async (login) => {
    const { home, env } = await homeWith(versions.good);
    const [file, text] = "file" in login ? [login.file, JSON.stringify(login.content)] : ["unused", ""];
    await mkdir(dirname(join(home, file)), { recursive: true });
    await writeFile(join(home, file), text);
    const more = "variable" in login ? { [login.variable]: "key" } : {};
    expect(await driver.detect(agent, { ...env, ...more }, signal)).toMatchObject({ found: true, loggedIn: true });
  });
});

describe.skipIf(!needs("codex", "gemini", "opencode", "network-namespace").ok)("the real ones", () => {
  test.each([realCodex, realGemini, realOpencode])("$driver.name is found with its version and its login", async (subject) => {
    const bench = await openBench(subject, taskScript());
    const { agent, env, path } = bench.request({ prompt: PROMPT });
    expect(await subject.driver.detect(agent, { ...env, PATH: path }, signal)).toEqual({
      found: true,
      program: expect.stringMatching(/\/nsenter$/u),
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/u),
      loggedIn: true,
    });
  });
});
