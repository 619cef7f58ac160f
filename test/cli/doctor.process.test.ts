import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Finding } from "../../src/contract/doctor.ts";
import { place, type Place } from "./running.ts";

const AGENTS =
  "agents: { me: { driver: human }, none: { driver: command, command: [no-such-agent] }, bad: { driver: drover-driver-none } }";

/** What the doctor finds by check, in a home whose agent is a person. */
async function findings(at: Place, more: { config?: string; env?: Record<string, string> } = {}) {
  writeFileSync(join(at.home, "config.yaml"), `version: 1\n${more.config ?? `${AGENTS}\ndefaults: { agent: me }\ndaemon: { port: 0 }\n`}`);
  chmodSync(at.home, 0o700);
  const ran = await at.spawn(["doctor", "--json"], { env: { GITHUB_TOKEN: "", ...more.env } });
  const { ok, findings: list } = JSON.parse(ran.out) as { ok: boolean; findings: Finding[] };
  expect(ran.code).toBe(ok ? 0 : 1);
  return { ok, by: Object.fromEntries(list.map((finding) => [finding.check, finding])) };
}

/** A PATH with git alone. */
function pathWithGit(at: Place): string {
  const bin = join(at.root, "bin");
  mkdirSync(bin);
  symlinkSync("/usr/bin/git", join(bin, "git"));
  return bin;
}

test("a home that is right passes; what is missing but not needed is a warning with what to do", async () => {
  await using at = place();
  const { ok, by } = await findings(at, { env: { PATH: pathWithGit(at) } });
  expect(ok).toBe(true);
  expect(by).toMatchObject({
    node: { level: "ok", found: process.versions.node },
    git: { level: "ok" },
    disk: { level: expect.stringMatching(/ok|warn/u) },
    clock: { level: "ok" },
    tmux: { level: "warn", found: "not available", remedy: expect.stringContaining("Install tmux") },
    docker: { check: "docker" },
    home: { level: "ok", found: at.home },
    configuration: { level: "ok" },
    token: { level: "ok" },
    port: { level: "ok", found: expect.stringContaining("no daemon runs") },
    GitHub: { level: "warn", remedy: expect.stringContaining("GITHUB_TOKEN") },
    "agent me": { level: "ok" },
    "agent none": { level: "warn", remedy: "There is no program no-such-agent. Install it or correct the agent's command." },
    "agent bad": { level: "warn", remedy: expect.stringContaining("npm install --prefix") },
    "agent claude": { level: "warn", remedy: expect.stringContaining("npm install -g @anthropic-ai/claude-code") },
  });
});

test("what is missing and needed fails", async () => {
  await using at = place();
  const config = `${AGENTS}\ndefaults: { agent: none, isolation: tmux }\ndaemon: { port: 0 }\n`;
  const { ok, by } = await findings(at, { config, env: { PATH: join(at.root, "empty") } });
  expect(ok).toBe(false);
  expect(by).toMatchObject({
    git: { level: "fail", found: "it is not on PATH" },
    tmux: { level: "fail", found: "not available, and defaults.isolation names it" },
    "agent none": { level: "fail" },
  });
});

test("a wrong configuration, a token that others can read and a port that is taken fail, each with what to do", async () => {
  await using at = place();
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  writeFileSync(join(at.home, "auth.json"), JSON.stringify({ token: "x".repeat(43) }), { mode: 0o644 });
  const env = { PATH: pathWithGit(at) };
  const taken = await findings(at, { env, config: `${AGENTS}\ndefaults: { agent: me }\ndaemon: { port: ${port} }\n` });
  expect(taken.by).toMatchObject({
    port: { level: "fail", found: expect.stringContaining("EADDRINUSE"), remedy: expect.stringContaining("daemon.port") },
    token: { level: "fail", remedy: expect.stringContaining("Remove it") },
  });
  const wrong = await findings(at, { env, config: "daemon: { port: many }\n" });
  expect(wrong.by).toMatchObject({ configuration: { level: "fail", found: expect.stringContaining("daemon.port") }, git: { level: "ok" } });
});

test("people read a line for each thing, and below it what to do", async () => {
  await using at = place();
  writeFileSync(join(at.home, "config.yaml"), `version: 1\n${AGENTS}\ndefaults: { agent: none }\n`);
  chmodSync(at.home, 0o755);
  const { code, out, err } = await at.spawn(["doctor"], { env: { PATH: pathWithGit(at) } });
  expect(code).toBe(1);
  expect(out).toMatch(/^ok {4}node +\d/mu);
  expect(out).toMatch(/^warn {2}home +\S+ is open to other users\n +Run: chmod 700 /mu);
  expect(out).toMatch(/^fail {2}agent none +not found\n +There is no program no-such-agent/mu);
  expect(err).toMatch(/^\d+ failures?, \d+ warnings?\.\n$/u);
});
