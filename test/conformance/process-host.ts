import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import type { HeldCommand, OutputLine, ProcessHost } from "../../src/process/host.ts";
import { collect } from "../support/collect.ts";

/** A process host that has nothing to do yet. Disposing of it fails when something that it started still lives. */
export interface HostFixture extends AsyncDisposable {
  readonly host: ProcessHost;
  /** A program of test/programs as a command, in a folder that is not there yet; its environment is a PATH. */
  readonly command: (program: string, ...args: string[]) => HeldCommand;
}

const { signal } = new AbortController();
const cancelled = new AppError("cancelled", "not wanted any more");

/** What every process host must do. */
export function describeProcessHost(name: string, make: () => Promise<HostFixture>): void {
  describe(`${name} as a process host`, () => {
    let fixture: HostFixture;
    let host: ProcessHost;
    beforeEach(async () => {
      fixture = await make();
      host = fixture.host;
    });
    afterEach(() => fixture[Symbol.asyncDispose]());

    const start = async (command: HeldCommand): Promise<string> => {
      await host.start(command);
      return command.directory;
    };
    const startReady = async (command: HeldCommand): Promise<string> => {
      const directory = await start(command);
      await firstLine(host, directory, "ready");
      return directory;
    };
    const read = (directory: string, options: { from?: number; follow?: boolean } = {}) =>
      collect(host.readLines(directory, { from: 0, follow: true, signal, ...options }));
    const texts = async (...args: Parameters<typeof read>) => (await read(...args)).map(({ text }) => text);
    const stop = (command: Pick<HeldCommand, "directory" | "marker">, graceMs = 0) =>
      host.stop(command.directory, { marker: command.marker, graceMs });

    test("the lines of a command come with their offsets, the last without an end too, and then how it ended", async () => {
      const directory = await start(fixture.command("prints.sh", "7"));
      const lines: OutputLine[] = [
        { text: "first", end: 6 },
        { text: "漢字 🐑", end: 18 },
        { text: "", end: 19 },
        { text: "last", end: 23 },
      ];
      expect(await read(directory)).toEqual(lines);
      expect(await host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 7, signal: null });
      expect(await host.inspect(directory)).toEqual({ state: "exited", exitCode: 7, signal: null });
      expect(await host.settle(directory)).toEqual({ state: "exited", exitCode: 7, signal: null });
      expect(await read(directory, { from: 6 })).toEqual(lines.slice(1));
      expect(await read(directory, { from: 23, follow: false })).toEqual([]);
    });

    test("the end of what it said on stderr is at hand", async () => {
      const directory = await start(fixture.command("prints.sh", "0"));
      await host.waitForEnd(directory, signal);
      expect(await host.readErrors(directory, 1_000)).toBe("trouble\n");
      expect(await host.readErrors(directory, 4)).toBe("ble\n");
    });

    test("stdin begins with what the command was given, goes on with what is sent, and never ends by itself", async () => {
      const directory = await start({ ...fixture.command("echoes-stdin.sh"), stdin: "one\n二\n" });
      await Promise.all([host.send(directory, "three\n"), host.send(directory, "four\n")]);
      await firstLine(host, directory, "got four");
      await host.send(directory, "bye\n");
      expect(await texts(directory)).toEqual(["got one", "got 二", "got three", "got four", "got bye"]);
    });

    test("a first input that no pipe holds arrives whole and before everything sent later", async () => {
      const long = "x".repeat(300_000);
      const directory = await start({ ...fixture.command("echoes-stdin.sh"), stdin: `${long}\n` });
      await host.send(directory, `${long}y\nbye\n`);
      expect(await texts(directory)).toEqual([`got ${long}`, `got ${long}y`, "got bye"]);
    });

    test("nothing can be sent to what has ended or never was", async () => {
      const directory = await start(fixture.command("prints.sh", "0"));
      await host.waitForEnd(directory, signal);
      await expect(host.send(directory, "hello\n")).rejects.toMatchObject({ code: "conflict" });
      await expect(host.send(fixture.command("waits.sh").directory, "hello\n")).rejects.toMatchObject({ code: "conflict" });
    });

    test("its files are there before it starts", async () => {
      const command = fixture.command("prints.sh", "0");
      const path = join(command.directory, "..", "settings", "deep", "file.json");
      await host.start({ ...command, files: { [path]: '{"a":"漢"}' } });
      expect(await readFile(path, "utf8")).toBe('{"a":"漢"}');
      await host.waitForEnd(command.directory, signal);
    });

    test("what waits to be sent behind a first input that nobody reads is refused when the command has ended", async () => {
      const command = { ...fixture.command("waits.sh"), stdin: "x".repeat(300_000) };
      await host.start(command);
      const sending = host.send(command.directory, "hello\n");
      const [sent] = await Promise.allSettled([sending, stop(command, 60_000)]);
      expect(sent).toMatchObject({ status: "rejected", reason: { code: "conflict" } });
    });

    test("a running command is known by its identity", async () => {
      const command = fixture.command("waits.sh");
      const identity = await host.start(command);
      expect(await host.inspect(command.directory)).toEqual({ state: "running", identity });
      expect(await host.settle(command.directory)).toEqual({ state: "running", identity });
      expect(await stop(command, 60_000)).toEqual({ state: "exited", exitCode: null, signal: 15 });
    });

    test("a folder is used once", async () => {
      const command = fixture.command("prints.sh", "0");
      await host.start(command);
      await expect(host.start(command)).rejects.toMatchObject({ code: "conflict" });
      await host.waitForEnd(command.directory, signal);
    });

    test("what was never started is absent, and there is nothing to wait for, read or stop", async () => {
      const command = fixture.command("waits.sh");
      expect(await host.inspect(command.directory)).toEqual({ state: "absent" });
      expect(await host.settle(command.directory)).toEqual({ state: "absent" });
      expect(await stop(command)).toEqual({ state: "absent" });
      await expect(host.waitForEnd(command.directory, signal)).rejects.toMatchObject({ code: "not_found" });
      expect(await read(command.directory)).toEqual([]);
      expect(await host.readErrors(command.directory, 10)).toBe("");
    });

    test("without following, only whole lines that are there now are read", async () => {
      const command = { ...fixture.command("echoes-stdin.sh"), stdin: "one\n" };
      const directory = await start(command);
      await firstLine(host, directory, "got one");
      expect(await read(directory, { follow: false })).toEqual([{ text: "got one", end: 8 }]);
      await stop(command);
    });

    test("waiting and following end with the signal's reason", async () => {
      const command = fixture.command("waits.sh");
      const directory = await startReady(command);
      const abort = new AbortController();
      const waiting = host.waitForEnd(directory, abort.signal);
      const following = collect(host.readLines(directory, { from: 0, follow: true, signal: abort.signal }));
      abort.abort(cancelled);
      await expect(waiting).rejects.toBe(cancelled);
      await expect(following).rejects.toBe(cancelled);
      await stop(command);
    });

    test("stopping lets a command that takes SIGTERM end by itself", async () => {
      const command = fixture.command("ends-on-sigterm.sh");
      const directory = await startReady(command);
      expect(await stop(command, 60_000)).toEqual({ state: "exited", exitCode: 5, signal: null });
      expect(await texts(directory)).toEqual(["ready", "ending"]);
      expect(await stop(command, 60_000)).toEqual({ state: "exited", exitCode: 5, signal: null });
    });

    test("stopping waits for the whole group, within the same time", async () => {
      const command = fixture.command("leaves-a-slow-child.sh");
      const directory = await startReady(command);
      expect(await stop(command, 60_000)).toEqual({ state: "exited", exitCode: null, signal: 15 });
      expect(await texts(directory, { follow: false })).toEqual(["ready", "saved"]);
    });

    test("stopping ends what ignores SIGTERM, and what has left the group", async () => {
      const command = fixture.command("ignores-sigterm.sh");
      await startReady(command);
      expect(await stop(command, 50)).toEqual({ state: "exited", exitCode: null, signal: 9 });
      expect((await host.measure()).memoryBytes).toBe(0);
    });

    test("a command has ended when it has, not when what it left behind ends", async () => {
      const command = fixture.command("forks-and-exits.sh");
      const directory = await start(command);
      expect(await host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
      expect(await texts(directory)).toContain("done");
      expect((await host.measure()).memoryBytes).toBeGreaterThan(0);
      expect(await stop(command)).toEqual({ state: "exited", exitCode: 0, signal: null });
      expect((await host.measure()).memoryBytes).toBe(0);
    });

    test("what each one takes is told by its marker, and what has gone is not", async () => {
      const [one, other] = [fixture.command("waits.sh"), fixture.command("waits.sh")];
      await startReady(one);
      await startReady(other);
      const { runs, memoryBytes } = await host.measure();
      expect([...runs.keys()].toSorted()).toEqual([one.marker, other.marker].toSorted());
      for (const use of runs.values()) expect(use).toMatchObject({ processes: expect.toSatisfy((count) => count > 0), outOfMemory: false });
      expect([...runs.values()].reduce((sum, use) => sum + use.memoryBytes, 0)).toBe(memoryBytes);
      await stop(one);
      expect([...(await host.measure()).runs.keys()]).toEqual([other.marker]);
      await stop(other);
    });

    test("limits of what runs and of what does not can be changed, and those of all", async () => {
      const limits = { memoryBytes: 500_000_000, cpus: 1, processes: 100 };
      const [command, never] = [{ ...fixture.command("waits.sh"), limits }, fixture.command("waits.sh")];
      await host.limitAll({ memoryBytes: 1_000_000_000, cpus: 2, processes: null });
      await startReady(command);
      await host.limit(command.directory, { ...limits, memoryBytes: null, cpus: 0.5 });
      await host.limit(never.directory, limits);
      await host.limitAll({ memoryBytes: null, cpus: null, processes: null });
      expect((await host.inspect(command.directory)).state).toBe("running");
      await stop(command);
      await host.limit(command.directory, limits);
      expect((await host.inspect(command.directory)).state).toBe("exited");
    });

    test("how the machine is off for memory is a share and a number of bytes, where the system tells", async () => {
      const { stalledPercent, availableBytes } = await host.readMemoryPressure();
      expect(stalledPercent ?? 0).toBeGreaterThanOrEqual(0);
      expect(stalledPercent ?? 0).toBeLessThanOrEqual(100);
      expect(availableBytes ?? 1).toBeGreaterThan(0);
    });

    test("a sweep ends what nobody wants and leaves the rest alone", async () => {
      const [wanted, left, unwanted] = [fixture.command("waits.sh"), fixture.command("forks-and-exits.sh"), fixture.command("waits.sh")];
      await startReady(wanted);
      await startReady(unwanted);
      await host.waitForEnd(await start(left), signal);
      const ended = await host.sweep((marker) => marker === wanted.marker);
      expect(ended.toSorted()).toEqual([left.marker, unwanted.marker].toSorted());
      expect((await host.inspect(wanted.directory)).state).toBe("running");
      expect(await host.waitForEnd(unwanted.directory, signal)).toEqual({ state: "exited", exitCode: null, signal: 9 });
      expect(await host.sweep((marker) => marker === wanted.marker)).toEqual([]);
      await stop(wanted);
    });
  });
}

/** Waits for the first line with this text. */
async function firstLine(host: ProcessHost, directory: string, text: string): Promise<void> {
  for await (const line of host.readLines(directory, { from: 0, follow: true, signal })) if (line.text === text) return;
  throw new Error(`It ended without saying "${text}".`);
}
