import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { AppError } from "../../src/base/errors.ts";
import { noLimits, type RunLimits } from "../../src/process/limits.ts";
import { runCheck } from "../../src/workspace/checks.ts";
import { openRealHost, type RealHostFixture } from "../support/host-fixture.ts";
import { needs } from "../support/needs.ts";
import { writeFiles } from "../support/repository.ts";

let runs = 0;

function check(
  fixture: RealHostFixture,
  command: string,
  options: { timeoutMs?: number; tree?: string; signal?: AbortSignal; redact?: (text: string) => string; limits?: RunLimits } = {},
) {
  const { timeoutMs = 30_000, tree = "tree", signal = new AbortController().signal, redact, limits = noLimits } = options;
  mkdirSync(join(fixture.folder, tree), { recursive: true });
  return runCheck({
    host: fixture.host,
    check: { name: "test", command, timeoutMs },
    directory: join(fixture.folder, tree),
    runDirectory: join(fixture.folder, `check-${(runs += 1)}`),
    marker: `run_check-${runs}`,
    env: { PATH: process.env["PATH"] ?? "" },
    limits,
    ...(redact === undefined ? {} : { redact }),
    clock: systemClock,
    signal,
  });
}

describe("runCheck", () => {
  test.skipIf(!needs("cgroups").ok)("what takes more memory than it may proves nothing of the tree", async () => {
    await using fixture = await openRealHost();
    const allocates = join(import.meta.dirname, "../programs/allocates.ts");
    const limits = { memoryBytes: 200 * 2 ** 20, cpus: null, processes: null };
    await expect(check(fixture, `echo go | '${process.execPath}' '${allocates}'`, { limits })).rejects.toMatchObject({
      message: "test reached a limit on memory (resources.agentMemoryMB, resources.maxMemoryMB, defaults.memoryMB).",
      details: { reason: "memory" },
    });
  });

  test("tells exit code, output of both streams in order, and the failing tests in it", async () => {
    await using fixture = await openRealHost();
    const result = await check(fixture, "echo one; echo two >&2; echo 'not ok 1 - adds'; exit 3");
    expect(result).toEqual({ exitCode: 3, durationMs: expect.any(Number), failures: ["adds"], outputTail: "one\ntwo\nnot ok 1 - adds" });
  });

  test("runs in the tree, with the given environment alone and nothing to read", async () => {
    await using fixture = await openRealHost();
    writeFiles(join(fixture.folder, "tree"), { "a.txt": "here\n" });
    const result = await check(fixture, "cat a.txt; read line || echo end; env | cut -d= -f1 | grep -v '^_$' | sort | tr '\\n' ' '");
    expect(result).toMatchObject({ exitCode: 0, outputTail: "here\nend\nDROVER_RUN DROVER_SCOPE PATH PWD " });
  });

  test("says the same of two trees that hold the same, wherever they are", async () => {
    await using fixture = await openRealHost();
    const command = "echo \"$PWD/a.test.js\"; echo 'not ok 1 - x'; echo \"  location: '$PWD/a.test.js:3:1'\"; exit 1";
    const { durationMs: _one, ...one } = await check(fixture, command, { tree: "one" });
    const { durationMs: _two, ...two } = await check(fixture, command, { tree: "two" });
    expect(one).toEqual(two);
    expect(one.failures).toEqual(["./a.test.js > x"]);
  });

  test("keeps the last whole lines of a flood, and reads all of it", async () => {
    await using fixture = await openRealHost();
    const result = await check(
      fixture,
      "echo 'not ok 1 - early'; i=0; while [ $i -lt 20000 ]; do echo \"line $i of many\"; i=$((i+1)); done; exit 1",
    );
    expect(result.failures).toEqual(["early"]);
    expect(result.outputTail.length).toBeLessThanOrEqual(4096);
    expect(result.outputTail).toMatch(/^line \d+ of many\n[\s\S]*\nline 19999 of many$/);
  });

  test("shows nothing that could change a screen, and no secret", async () => {
    await using fixture = await openRealHost();
    const token = `ghp_${"a1".repeat(18)}`;
    const result = await check(
      fixture,
      `printf '\\033[31mred\\033[0m \\007 ${token} hunter2secret\\n'; echo 'not ok 1 - hunter2secret'; exit 1`,
      {
        redact: (text) => text.replaceAll("hunter2secret", "[redacted]").replace(token, "[redacted]"),
      },
    );
    expect(result.outputTail).toBe("red  [redacted] [redacted]\nnot ok 1 - [redacted]");
    expect(result.failures).toEqual(["[redacted]"]);
    expect((await check(fixture, `echo ${token}`)).outputTail).toBe("[redacted]");
  });

  test("ends at its time limit with what it had printed, and all that it started with it", async () => {
    await using fixture = await openRealHost();
    const result = await check(fixture, "trap '' TERM; (trap '' TERM; setsid sleep 1000) & echo 'not ok 1 - before'; sleep 1000", {
      timeoutMs: 500,
    });
    expect(result).toMatchObject({ exitCode: null, failures: ["before"], outputTail: "not ok 1 - before" });
  });

  test("ends what a check left behind, which then can't change the tree", async () => {
    await using fixture = await openRealHost();
    const result = await check(fixture, "(sleep 1; echo late > late.txt) & nohup sleep 1000 >/dev/null 2>&1 & echo done");
    expect(result).toMatchObject({ exitCode: 0, outputTail: "done" });
  });

  test("ends and throws the reason when aborted", async () => {
    await using fixture = await openRealHost();
    const abort = new AbortController();
    const reason = new AppError("cancelled", "A person cancelled it.");
    const running = check(fixture, "echo started > started; sleep 1000", { signal: abort.signal });
    await expect.poll(() => readFileSync(join(fixture.folder, "tree", "started"), "utf8")).toBe("started\n");
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(check(fixture, "true", { signal: abort.signal })).rejects.toBe(reason);
  });

  test("a command killed by a signal, a missing program and a syntax error are results", async () => {
    await using fixture = await openRealHost();
    expect(await check(fixture, "kill -9 $$")).toMatchObject({ exitCode: null });
    expect(await check(fixture, "no-such-program-here")).toMatchObject({ exitCode: 127, outputTail: expect.stringContaining("not found") });
    expect(await check(fixture, "if then")).toMatchObject({ exitCode: 2, outputTail: expect.stringContaining("yntax error") });
  });

  test("a real test run of node reads the same on both trees", async () => {
    await using fixture = await openRealHost();
    const suite =
      "import { test } from 'node:test'; import assert from 'node:assert'; test('adds', () => assert.equal(1 + 1, 3)); test('works', () => {});";
    for (const tree of ["base", "head"]) writeFiles(join(fixture.folder, tree), { "a.test.mjs": suite });
    symlinkSync(process.execPath, join(fixture.folder, "node"));
    const command = `${join(fixture.folder, "node")} --test`;
    const base = await check(fixture, command, { tree: "base" });
    const head = await check(fixture, command, { tree: "head" });
    expect([base.failures, head.failures]).toEqual([["a.test.mjs > adds"], ["a.test.mjs > adds"]]);
  });
});
