import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { collect } from "../support/collect.ts";
import { openHost } from "../support/agent-run.ts";
import { openIsolationFixture, type IsolationFixture, type IsolationSubject } from "../support/isolation-fixture.ts";
import { processesNaming } from "../support/leftovers.ts";
import { startTextServer } from "../support/text-server.ts";

const { signal } = new AbortController();

/** What every isolation must do, with real programs under the real process host. */
export function describeIsolation(name: string, subject: IsolationSubject): void {
  describe(`the isolation ${name}`, () => {
    let fixture: IsolationFixture;
    beforeEach(async () => {
      fixture = await openIsolationFixture(subject);
    });
    afterEach(async () => {
      vi.unstubAllEnvs();
      await fixture[Symbol.asyncDispose]();
    });

    const { read, until } = readers(() => fixture);
    const sh = (script: string) => ({ ...fixture.command("waits.sh"), argv: ["/bin/sh", "-c", script] as const });

    test("is there, with its version", async () => {
      expect(await fixture.isolation.detect(signal)).toEqual({ available: true, version: expect.stringMatching(/./u) });
    });

    test("output, errors and exit code of a command come as without it", async () => {
      const command = fixture.command("prints.sh", "7");
      const directory = await fixture.start(command);
      expect(await read(directory)).toEqual(["first", "漢字 🐑", "", "last"]);
      expect(await fixture.host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 7, signal: null });
      expect(await fixture.host.readErrors(directory, 1000)).toBe("trouble\n");
      await fixture.end(command);
    });

    test("arguments and variables arrive as they are, with the run's marker and none of ours", async () => {
      vi.stubEnv("GITHUB_TOKEN", "canary");
      const hostile = ["", "a b", "'\"`$HOME\\", "*", "--", "-n", "#{pane_id};", "line\nbreak", "é漢🐑"];
      const command = fixture.command("tells-what-it-got.ts", ...hostile);
      const env = { ...command.env, GIVEN: hostile.join("|"), lower_case: "%s" };
      const directory = await fixture.start({ ...command, env });
      const told = JSON.parse((await read(directory)).join("\n")) as { argv: string[]; env: string[]; open: string[] };
      expect(told.argv).toEqual(hostile);
      expect(told.env).toEqual(expect.arrayContaining([`GIVEN=${env.GIVEN}`, "lower_case=%s", `DROVER_RUN=${command.marker}`]));
      expect(told.env.join("\n")).not.toMatch(/canary|COMPILE_CACHE|CHANNEL_FD/u);
      expect(told.open.filter((path) => !path.startsWith(command.directory))).toEqual([]);
      await fixture.end(command);
    });

    test("stdin begins with what the command was given, however long, goes on with what is sent, and does not end", async () => {
      const long = "x".repeat(300_000);
      const command = { ...fixture.command("echoes-stdin.sh"), stdin: `${long}\n` };
      const directory = await fixture.start(command);
      await until(directory, `got ${long}`);
      await fixture.host.send(directory, "two\n");
      await until(directory, "got two");
      await fixture.host.send(directory, "bye\n");
      expect((await read(directory)).map((line) => line.slice(0, 10))).toEqual(["got xxxxxx", "got two", "got bye"]);
      await fixture.end(command);
    });

    test("a flood of output comes whole and in order", async () => {
      const command = sh("seq 1 200000");
      const lines = await read(await fixture.start(command));
      expect(lines).toHaveLength(200_000);
      expect([lines[0], lines[99_999], lines[199_999]]).toEqual(["1", "100000", "200000"]);
      await fixture.end(command);
    });

    test("it works in the workspace, and what it writes there and in its own folder stays, the person's own", async () => {
      const command = sh(`mkdir -p deep && echo work >deep/file && echo own >"$OWN/state" && chmod 600 "$OWN/state" && git init -q .`);
      const directory = await fixture.start({ ...command, env: { ...command.env, OWN: fixture.configDirectory } });
      await fixture.host.waitForEnd(directory, signal);
      expect(await fixture.host.readErrors(directory, 1000)).toBe("");
      expect(await readFile(join(fixture.workspace, "deep/file"), "utf8")).toBe("work\n");
      expect(await readFile(join(fixture.configDirectory, "state"), "utf8")).toBe("own\n");
      await writeFile(join(fixture.workspace, "deep/file"), "ours again");
      await fixture.end(command);
    });

    test("a SIGTERM reaches the command, which has its time to end by itself", async () => {
      const command = fixture.command("ends-on-sigterm.sh");
      const directory = await fixture.start(command);
      await until(directory, "ready");
      await fixture.end(command, 60_000);
      expect((await fixture.host.inspect(directory)).state).toBe("exited");
      expect(await read(directory)).toEqual(["ready", "ending"]);
      expect(processesNaming(fixture.workspace)).toEqual([]);
    });

    test("what ignores SIGTERM is ended, and so is what left its group", async () => {
      const command = fixture.command("ignores-sigterm.sh");
      const directory = await fixture.start(command);
      await until(directory, "ready");
      await fixture.end(command, 50);
      expect((await fixture.host.inspect(directory)).state).toBe("exited");
    });

    test("what a command leaves behind is ended with its run", async () => {
      const command = fixture.command("forks-and-exits.sh");
      const directory = await fixture.start(command);
      expect(await fixture.host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
      await fixture.end(command);
      await fixture.end(command);
    });

    test("it outlives the daemon: the next one reads on, sends, and sees it end", async () => {
      const command = { ...fixture.command("echoes-stdin.sh"), stdin: "before\n" };
      const directory = await fixture.start(command);
      await until(directory, "got before");
      await fixture.host.close();
      const next = openHost(fixture.folder);
      expect((await next.settle(directory)).state).toBe("running");
      await next.send(directory, "after\nbye\n");
      expect((await collect(next.readLines(directory, { from: 0, follow: true, signal }))).map(({ text }) => text)).toEqual([
        "got before",
        "got after",
        "got bye",
      ]);
      await next.close();
      await fixture.end(command);
    });

    test("of two runs a sweep ends what is left of the unwanted one and leaves the other alone", async () => {
      const [wanted, unwanted] = [fixture.command("waits.sh"), fixture.command("ignores-sigterm.sh")];
      for (const command of [wanted, unwanted]) await until(await fixture.start(command), "ready");
      const isWanted = (marker: string) => marker === wanted.marker;
      await fixture.host.sweep(isWanted);
      await fixture.isolation.sweep(isWanted);
      expect(await fixture.isolation.sweep(isWanted)).toEqual([]);
      expect((await fixture.host.inspect(wanted.directory)).state).toBe("running");
      expect((await fixture.host.waitForEnd(unwanted.directory, signal)).state).toBe("exited");
      await fixture.end(unwanted);
      await fixture.end(wanted);
    });
  });
}

/** What those must do besides that keep what runs in them from the rest of the machine. */
export function describeConfinement(name: string, subject: IsolationSubject): void {
  describe(`the confinement by ${name}`, () => {
    let fixture: IsolationFixture;
    beforeEach(async () => {
      fixture = await openIsolationFixture(subject);
    });
    afterEach(async () => {
      vi.unstubAllEnvs();
      await fixture[Symbol.asyncDispose]();
    });

    const { read } = readers(() => fixture);
    const runSh = async (script: string, env: Record<string, string> = {}, change = {}) => {
      const command = fixture.command("waits.sh");
      const argv = ["/bin/sh", "-c", `(${script}) 2>&1`] as const;
      const directory = await fixture.start({ ...command, argv, env: { ...command.env, ...env } }, change);
      const lines = await read(directory);
      await fixture.end(command);
      return lines;
    };

    test("is said to confine", () => expect(fixture.isolation.confines).toBe(true));

    test("nothing outside the workspace and its own folder can be written", async () => {
      const outside = join(fixture.folder, "outside");
      await mkdir(outside);
      await chmod(outside, 0o777);
      await runSh(`echo x >'${outside}/file'; echo x >"$HOME/file"; ln -s '${outside}' link; echo x >link/other; echo x >/usr/file`);
      expect(await readFile(join(outside, "file"), "utf8").catch(() => "absent")).toBe("absent");
      expect(await readFile(join(outside, "other"), "utf8").catch(() => "absent")).toBe("absent");
      expect(await readFile("/usr/file", "utf8").catch(() => "absent")).toBe("absent");
    });

    test("the person's home, Drover's own and other programs' temporary files are not seen", async () => {
      const home = process.env["HOME"] ?? "";
      const secrets = [join(home, ".ssh-of-test", "id"), join(fixture.folder, "auth.json"), join(fixture.folder, "..", "isolation-secret")];
      for (const path of secrets) {
        await mkdir(join(path, ".."), { recursive: true });
        await writeFile(path, "canary");
      }
      const lines = await runSh(secrets.map((path) => `cat '${path}'`).join("; "), { HOME: home });
      expect(lines.join("\n")).not.toContain("canary");
      expect(lines).toHaveLength(secrets.length);
      await rm(join(home, ".ssh-of-test"), { recursive: true });
      await rm(join(fixture.folder, "..", "isolation-secret"));
    });

    test("it has no rights of root's, and no new ones can be had", async () => {
      const lines = await runSh("grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; mount -t tmpfs none /mnt");
      expect(lines.slice(0, 3).map((line) => line.replaceAll("\t", " "))).toEqual([
        "CapEff: 0000000000000000",
        expect.stringMatching(/^CapBnd: /u),
        "NoNewPrivs: 1",
      ]);
      expect(lines.slice(3).join("\n")).toMatch(/mount.*(?:permission|permitted|must be superuser)/iu);
    });

    test("other processes of the machine are neither seen nor reached", async () => {
      const lines = await runSh(`kill -0 ${process.pid}; ls /proc | grep -c '^[0-9]*$'`);
      expect(lines[0]).toMatch(/no such process/iu);
      expect(Number(lines[1])).toBeLessThan(20);
    });

    test("the loopback of the machine can't be reached", async () => {
      await using server = await startTextServer("hello from outside");
      const ask = fetching(`http://127.0.0.1:${server.port}`);
      const command = fixture.command("waits.sh");
      const directory = await fixture.start({ ...command, argv: [process.execPath, "-e", ask] });
      expect((await read(directory)).join("\n")).toMatch(/refused|ECONNREFUSED|fetch failed/u);
      await fixture.end(command);
      expect(server.requests).toBe(0);
    });
  });
}

/** A program for `node -e` that prints what an address answers. */
export const fetching = (url: string) =>
  `fetch(${JSON.stringify(url)}).then(async (r) => console.log(r.status, (await r.text()).trim()), (e) => console.log(String(e), String(e.cause?.code ?? e.cause)))`;

/** Reading and waiting, of whatever fixture there is now. */
export function readers(fixture: () => IsolationFixture) {
  return {
    read: async (directory: string) =>
      (await collect(fixture().host.readLines(directory, { from: 0, follow: true, signal }))).map(({ text }) => text),
    until: async (directory: string, wanted: string): Promise<void> => {
      for await (const { text } of fixture().host.readLines(directory, { from: 0, follow: true, signal })) if (text === wanted) return;
      throw new Error(`It ended without saying "${wanted.slice(0, 100)}": ${await fixture().host.readErrors(directory, 1000)}`);
    },
  };
}
