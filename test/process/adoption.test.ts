import { spawn } from "node:child_process";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commandScript } from "../../src/process/script.ts";
import { collect } from "../support/collect.ts";
import { commandIn } from "../support/held-command.ts";
import { openRealHost, type RealHostFixture } from "../support/host-fixture.ts";
import { killedDaemon } from "../support/killed-daemon.ts";

const { signal } = new AbortController();
const SOURCE = join(import.meta.dirname, "../../src/process");

let fixture: RealHostFixture;
beforeEach(async () => {
  fixture = await openRealHost();
});
afterEach(() => fixture[Symbol.asyncDispose]());

test("after the daemon was killed its command goes on, and the next daemon talks to it, reads it and sees it end", async () => {
  const { host } = fixture;
  const { directory, identity } = await killedDaemon(fixture.folder, "run_1", "echoes-stdin.sh");
  expect(await host.settle(directory)).toEqual({ state: "running", identity });
  await host.send(directory, "after\nbye\n");
  const lines = await collect(host.readLines(directory, { from: 0, follow: true, signal }));
  expect(lines.map(({ text }) => text)).toEqual(["got before", "got after", "got bye"]);
  expect(await host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
});

test("what a killed daemon left running is stopped by the next one", async () => {
  const { host } = fixture;
  const { directory } = await killedDaemon(fixture.folder, "run_1", "ignores-sigterm.sh");
  for await (const { text } of host.readLines(directory, { from: 0, follow: true, signal })) if (text === "ready") break;
  expect(await host.stop(directory, { marker: "run_1", graceMs: 0 })).toEqual({ state: "exited", exitCode: null, signal: 9 });
});

/** A folder as a daemon leaves it when it dies before a holder has begun. */
async function askedFor(marker: string): Promise<{ directory: string; proof: string }> {
  const { directory, cwd, env } = commandIn(fixture.folder, marker, "prints.sh");
  const proof = join(fixture.folder, `${marker}-was-here`);
  await mkdir(directory);
  const script = commandScript({ argv: ["/usr/bin/touch", proof], cwd, env, prologue: join(SOURCE, "identify.sh") });
  await writeFile(join(directory, "command"), script);
  return { directory, proof };
}

/** What the spawner of a daemon that is not there any more answers to requests that it still had. */
async function lateAnswers(...requests: string[]): Promise<string[]> {
  const spawner = spawn("/bin/sh", [join(SOURCE, "spawner.sh")], { stdio: ["pipe", "pipe", "ignore"] });
  spawner.stdin.end(requests.map((request) => `${request}\n`).join(""));
  return collect(createInterface({ input: spawner.stdout }));
}

test("a start that a dead daemon asked for can't happen once it was settled", async () => {
  const { directory, proof } = await askedFor("run_1");
  expect(await fixture.host.settle(directory)).toEqual({ state: "absent" });
  expect(await lateAnswers(`start 1 ${directory}`)).toEqual(["1 failed"]);
  await expect(access(proof)).rejects.toMatchObject({ code: "ENOENT" });
  expect(await fixture.host.settle(directory)).toEqual({ state: "absent" });
});

test("of two holders that are asked for the same folder, one begins the command", async () => {
  const { directory, proof } = await askedFor("run_1");
  const answers = await lateAnswers(`start 1 ${directory}`, `start 2 ${directory}`);
  expect(new Set(answers.map((line) => line.split(" ")[1]))).toEqual(new Set(["failed", "started"]));
  expect(await fixture.host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
  await access(proof);
  expect(await fixture.host.settle(directory)).toEqual({ state: "exited", exitCode: 0, signal: null });
});

test("when a start and a settling meet, either the command ran or it never will", async () => {
  const rounds = Array.from({ length: 24 }, async (_, round) => {
    const { directory, proof } = await askedFor(`run_${round}`);
    const answers = lateAnswers(`start 1 ${directory}`);
    // At a different moment of the start in each round; either outcome is right.
    for (let turn = 0; turn < round * 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const { state } = await fixture.host.settle(directory);
    const word = (await answers)[0]?.split(" ")[1];
    if (state === "absent") {
      expect(word).toBe("failed");
      await expect(access(proof)).rejects.toMatchObject({ code: "ENOENT" });
    } else {
      expect(word).toBe("started");
      expect(await fixture.host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
    }
  });
  await Promise.all(rounds);
});
