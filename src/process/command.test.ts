import { ChildProcess } from "node:child_process";
import { watch } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { queryObjects } from "node:v8";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { systemClock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { runCommand, type CommandOptions } from "./command.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-command-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const PATH = "/usr/bin:/bin";
const sh = (script: string, options: Partial<CommandOptions> = {}) => run(["sh", "-c", script], options);

function run(argv: readonly [string, ...string[]], options: Partial<CommandOptions> = {}) {
  const rest = { env: { PATH }, timeoutMs: 20_000, maxOutputBytes: 1_000_000, clock: systemClock, signal: new AbortController().signal };
  return runCommand(argv, { cwd: folder, ...rest, ...options });
}

async function failureOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => expect.unreachable("it did not fail"),
    (failure: unknown) => failure,
  );
}

function untilMade(name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_kind, changed) => {
      if (changed !== name) return;
      watcher.close();
      resolve();
    });
  });
}

/** Resolves when no process has this pid, or only a dead one nobody has reaped. */
async function untilGone(pid: number): Promise<void> {
  for (;;) {
    const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") X");
    if (/\) [ZX]/u.test(line)) return;
  }
}

test("what a command prints and its exit code come back byte for byte, whatever the code", async () => {
  const result = await sh("printf 'a\\n\\n漢'; printf 'warned\\n' >&2; exit 3");
  expect(result).toEqual({ exitCode: 3, stdout: "a\n\n漢", stderr: "warned\n" });
});

test("nothing of a command is kept once it is done, however long its signal lives", async () => {
  const { signal } = new AbortController();
  const processes = () => queryObjects(ChildProcess, { format: "count" });
  await run(["true"], { signal });
  const before = processes();
  for (let count = 0; count < 5; count++) await run(["true"], { signal });
  expect(processes()).toBeLessThanOrEqual(before);
});

test("its environment is the one given and nothing else", async () => {
  vi.stubEnv("NODE_V8_COVERAGE", undefined); // Node hands this one on by itself
  const { stdout } = await run(["env"], { env: { PATH, WORD: "a b\nc" } });
  expect(stdout).toBe(`PATH=${PATH}\nWORD=a b\nc\n`);
});

test("its stdin is the input and then ends", async () => {
  expect((await run(["cat"], { input: "häl\0lo" })).stdout).toBe("häl\0lo");
  expect((await run(["cat"])).stdout).toBe("");
});

test("arguments reach it as they are, never read by a shell", async () => {
  const hostile = ["$(touch owned)", "`id`", "a;b", "'", '"', "\n", "*", "　", "--"];
  const { stdout } = await run(["printf", "%s\\0", ...hostile]);
  expect(stdout.split("\0").slice(0, -1)).toEqual(hostile);
});

test("a signal from elsewhere counts as 128 and its number", async () => {
  expect(await sh("kill -KILL $$")).toEqual({ exitCode: 137, stdout: "", stderr: "" });
});

test("an abort while the command is being started ends it too", async () => {
  const abort = new AbortController();
  const reason = new AppError("cancelled", "stop it");
  const running = run(["sleep", "999"], { signal: abort.signal });
  abort.abort(reason);
  expect(await failureOf(running)).toBe(reason);
});

test("an abort ends the command and what it started, and its reason is what is thrown", async () => {
  const abort = new AbortController();
  const reason = new AppError("cancelled", "stop it");
  // The second shell ignores SIGTERM and holds no pipe of ours: only the last SIGKILL to the group reaches it.
  const script = `(trap '' TERM; echo started > "${folder}/started"; while :; do sleep 1; done) >/dev/null 2>&1 </dev/null & echo $! > pid; wait`;
  const started = untilMade("started");
  const running = sh(script, { signal: abort.signal });
  await started;
  abort.abort(reason);
  expect(await failureOf(running)).toBe(reason);
  await untilGone(Number(await readFile(join(folder, "pid"), "utf8")));
});

test("a signal that was aborted before starts nothing", async () => {
  const reason = new AppError("cancelled", "too late");
  expect(await failureOf(run(["/nowhere"], { signal: AbortSignal.abort(reason) }))).toBe(reason);
});

test("a command that does not end in time is stopped", async () => {
  expect(await failureOf(sh("sleep 60", { timeoutMs: 50 }))).toMatchObject({ code: "timeout", message: expect.stringContaining("0.05 s") });
});

test("when a command has ended, one that left its group and holds its stdout is waited for no longer than the timeout", async () => {
  const clock = new ManualClock();
  const left = untilMade("left");
  const running = failureOf(sh("echo $$ > own; setsid sh -c 'echo $$ > left.tmp; mv left.tmp left; exec sleep 1000000' &", { clock }));
  await left;
  await untilGone(Number(await readFile(join(folder, "own"), "utf8")));
  clock.advance(20_000);
  expect(await running).toMatchObject({ code: "timeout" });
  process.kill(Number(await readFile(join(folder, "left"), "utf8")), "SIGKILL");
});

test("a command that prints too much is stopped rather than cut", async () => {
  expect(await failureOf(run(["yes"], { maxOutputBytes: 1_000 }))).toMatchObject({
    code: "invalid",
    message: "yes printed more than 1000 bytes and was stopped.",
  });
});

test("a missing program, a missing folder and arguments without end are told apart", async () => {
  expect(await failureOf(run(["no-such-program"]))).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("not installed"),
  });
  expect(await failureOf(run(["true"], { cwd: join(folder, "none") }))).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("no folder"),
  });
  expect(await failureOf(run(["true", "x".repeat(3_000_000)]))).toMatchObject({ code: "invalid" });
  expect(await failureOf(run([folder]))).toMatchObject({ code: "unavailable", message: expect.stringContaining("EACCES") });
});
