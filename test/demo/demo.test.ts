import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runDemo, type DemoOptions } from "../../src/demo/demo.ts";
import { needs } from "../support/needs.ts";
import { enterNew } from "../support/network-namespace.ts";

test("an issue becomes a verified pull request before one's eyes, and nothing is left", async () => {
  const shown = await demo({});
  expect(shown).toContain("The model is SCRIPTED");
  const steps = [
    "issue taken in as tally#1: A bill of 0.10 and 0.20 comes to 0.30000000000000004",
    "agent uses run: node --test",
    "agent uses write: src/bill.js",
    'check "test" on the base: fails',
    'check "test" on the result: passes',
    "verified: done",
    "branch pushed",
    "pull request opened",
    "--- Pull request: ",
    "+  const cents = items.reduce(",
    "node --test: exit 1 on the base, exit 0 on the result: fixed",
    "An issue became a verified pull request in",
  ];
  const places = steps.map((step) => shown.indexOf(step));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
});

test("--json prints one document, and --keep leaves the repository with the branch", async () => {
  const shown = JSON.parse(await demo({ json: true, keep: true })) as { kept: string };
  try {
    expect(shown).toMatchObject({
      task: "tally#1",
      agent: "scripted",
      scripted: true,
      pullRequest: {
        title: expect.stringContaining("0.30000000000000004"),
        branch: expect.stringMatching(/^drover\/1-/),
        body: expect.stringContaining("node --test"),
      },
      proof: {
        checks: [
          { name: "test", verdict: "fixed", base: { failures: ["test/bill.test.js > cents add up exactly"] }, head: { failures: [] } },
        ],
      },
      diff: expect.stringContaining("+  const cents"),
    });
    expect(existsSync(join(shown.kept, "tally", ".git"))).toBe(true);
  } finally {
    await rm(dirname(shown.kept), { recursive: true });
  }
});

test("^C in the middle of the work ends the daemon and the agent and removes everything", async () => {
  const control = new AbortController();
  const interrupted = new Error("interrupted");
  const running = demo({ signal: control.signal }, (text) => {
    if (text.includes("agent uses run")) control.abort(interrupted);
  });
  await expect(running).rejects.toBe(interrupted);
});

test.skipIf(!needs("claude", "network-namespace").ok)("the command line runs it with the real Claude Code", async () => {
  const [program, ...args] = [...enterNew, process.execPath, "src/cli/main.ts", "demo", "--agent", "claude-scripted", "--json"];
  const { stdout } = await promisify(execFile)(program, args);
  expect(JSON.parse(stdout)).toMatchObject({
    agent: "claude-scripted",
    scripted: true,
    pullRequest: { title: expect.stringContaining("0.30000000000000004") },
    proof: { checks: [{ verdict: "fixed" }] },
  });
});

/** Runs the demo with temporary files in a folder of its own; what it printed. Fails when it left something there that was not to be kept. */
async function demo(options: Partial<DemoOptions>, onWrite: (text: string) => void = () => {}): Promise<string> {
  // Other tests make temporary files at the same time.
  const usual = process.env["TMPDIR"];
  const own = await mkdtemp(join(tmpdir(), "drover-demo-test-"));
  process.env["TMPDIR"] = own;
  let shown = "";
  const write = (text: string) => {
    shown += text;
    onWrite(text);
  };
  const signal = new AbortController().signal;
  try {
    await runDemo({ keep: false, json: false, agent: "scripted", env: process.env, signal, ...options, write });
    return shown;
  } finally {
    if (usual === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = usual;
    const left = await readdir(own);
    if (!options.keep) await rm(own, { recursive: true });
    if (!options.keep) expect(left).toEqual([]);
  }
}
