import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { createConfine, unconfined } from "../../../src/builtin/tools/confine.ts";
import type { Confine } from "../../../src/builtin/tools/tool.ts";
import { fetching } from "../../conformance/isolation.ts";
import { processesNaming } from "../../support/leftovers.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { needs } from "../../support/needs.ts";
import { startTextServer } from "../../support/text-server.ts";
import { openToolFixture, type ToolFixture } from "../../support/tool-fixture.ts";

const { signal } = new AbortController();

let fixture: ToolFixture;
let clock: ManualClock;
beforeEach(async () => {
  clock = new ManualClock();
  fixture = await openToolFixture(clock);
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** How many programs of that name the fixture's commands have started. */
const sleeping = () => processesNaming(fixture.folder).filter((command) => /^\d+ sleep /u.test(command)).length;

/** What must hold of a command whatever is around it. */
function describeRun(around: string, openConfine: () => Promise<Confine>): void {
  describe(`a command ${around}`, () => {
    let confine: Confine;
    beforeEach(async () => {
      confine = await openConfine();
    });
    const run = (argv: readonly string[], change = {}) => fixture.use("run", { argv }, { confine, ...change });
    const sh = (script: string, change = {}) => run(["/bin/sh", "-c", script], change);

    test("what a shell would obey is only text, and makes no file", async () => {
      const hostile = [
        "a; touch pwn",
        "`touch pwn`",
        "$(touch pwn)",
        "\ntouch pwn\n",
        "| touch pwn",
        "> pwn",
        "&& touch pwn",
        "*",
        "~",
        "$HOME",
      ];
      expect(await run(["printf", "%s,", ...hostile])).toBe(`[Exit code 0.]\n${hostile.join(",")},`);
      expect(await readdir(fixture.workspace)).toEqual([]);
      expect(await run(["echo a; touch pwn"])).toMatch(/not found|not installed/u);
      expect(await readdir(fixture.workspace)).toEqual([]);
    });

    test("it works in the workspace, with nothing to read, and tells its exit code and all that it printed", async () => {
      expect(await sh("cat; pwd >file; echo out; exec >&2; echo err; exit 3")).toMatch(/^\[Exit code 3\.\]\n(?:out\nerr|err\nout)\n$/u);
      expect(await readFile(join(fixture.workspace, "file"), "utf8")).toBe(`${fixture.workspace}\n`);
    });

    test("of its environment only what it was given", async () => {
      const { FIXTURE, PATH } = fixture.env;
      const said = await run(["/usr/bin/env"]);
      const ours = said.split("\n").filter((line) => !/^(?:\[|$|(?:HTTPS?|NO)_PROXY=|NODE_USE_ENV_PROXY=|TMPDIR=)/iu.test(line));
      expect(ours.toSorted()).toEqual([`FIXTURE=${FIXTURE}`, `PATH=${PATH}`]);
    });

    test("a flood of output comes as its head and its tail", async () => {
      const said = await run(["seq", "1", "300000"]);
      expect(said.length).toBeLessThan(33_000);
      expect(said.split("\n").slice(0, 3)).toEqual(["[Exit code 0.]", "1", "2"]);
      expect(said).toMatch(/\n\[\d+ bytes left out\]\n/u);
      expect(said.endsWith("\n299999\n300000\n")).toBe(true);
    });

    test("nothing in its output reaches a terminal but text", async () => {
      const said = await run(["printf", "\\033[31mred\\033[0m \\033]0;title\\007\\a 10%%\\r20%%\\r\\n\u202edone\\000"]);
      expect(said).toBe("[Exit code 0.]\nred  10%\n20%\ndone");
    });

    test("it is ended at its time limit with all that it started", async () => {
      const said = sh("echo started; sleep 999 & trap '' TERM; sleep 998 & wait; wait; wait", { commandTimeoutMs: 600_000 });
      await expect.poll(() => [sleeping(), clock.nextTimerMs], { timeout: 20_000 }).toEqual([2, 600_000]);
      let isOver = false;
      void said.then(() => (isOver = true));
      clock.advance(600_000);
      // The SIGKILL comes later by this clock too.
      await expect.poll(() => (clock.advance(1_000), isOver), { timeout: 20_000 }).toBe(true);
      expect(await said).toMatch(/did not end within 600 s, and was ended with all that it started\.\nstarted\n$/u);
      await expect.poll(() => processesNaming(fixture.folder), { timeout: 20_000 }).toEqual([]);
      expect(fixture.audited.at(-1)).toMatchObject({ tool: "run", outcome: "failed" });
    });

    test("it is ended when the run is, and the reason is what is thrown", async () => {
      const abort = new AbortController();
      const running = fixture.use("run", { argv: ["sleep", "999"] }, { confine }, abort.signal);
      await expect.poll(sleeping, { timeout: 20_000 }).toBe(1);
      abort.abort(new Error("the run ends"));
      await expect(running).rejects.toThrow("the run ends");
    });

    test("what it leaves running is ended with it, and not waited for", async () => {
      expect(await sh("sleep 999 & echo done")).toBe("[Exit code 0.]\ndone\n");
      await expect.poll(() => processesNaming(fixture.folder), { timeout: 20_000 }).toEqual([]);
    });
  });
}

describeRun("with nothing around it", async () => unconfined);

describe.skipIf(!needs("bwrap").ok)("in the system's sandbox", () => {
  const open = async (hosts: readonly string[] = [], env = fixture.env): Promise<Confine> => {
    const { folder, workspace } = fixture;
    const [home, directory] = [join(folder, "home"), join(folder, "told")];
    await mkdir(home, { recursive: true });
    await mkdir(directory, { recursive: true });
    const confine = await createConfine({ workspace, env, home, readable: [], hosts, directory, clock: systemClock }, signal);
    return confine ?? expect.unreachable("there is bubblewrap, and no sandbox");
  };
  const told = () => readdir(join(fixture.folder, "told"));

  describeRun("with the sandbox around it", () => open());

  test("it writes to the workspace and to a temporary folder of its own alone", async () => {
    const outside = join(fixture.folder, "outside");
    await mkdir(outside);
    await chmod(outside, 0o777);
    await symlink(outside, join(fixture.workspace, "link"));
    const script = `echo x >inside; echo x >"$TMPDIR/own" && cat "$TMPDIR/own"; echo x >link/file; echo x >'${outside}/file'; echo x >/usr/file; echo end`;
    const said = await fixture.use("run", { argv: ["sh", "-c", script] }, { confine: await open() });
    expect(said.split("\n").filter((line) => !line.includes("cannot create"))).toEqual(["[Exit code 0.]", "x", "end", ""]);
    expect(await readdir(fixture.workspace)).toEqual(["inside", "link"]);
    expect(await readdir(outside)).toEqual([]);
    expect(await told()).toEqual([]);
  });

  test("homes, Drover's among them, and sockets of the machine are not seen", async () => {
    await mkdir(join(fixture.folder, "home"));
    await writeFile(join(fixture.folder, "home/token"), "canary");
    const socket = join(fixture.folder, "socket");
    const server = createServer().listen(socket);
    await once(server, "listening");
    const connecting = `require("net").connect(${JSON.stringify(socket)}).on("error", ({ code }) => console.log(code))`;
    const script = `cat '${fixture.folder}/home/token'; ls -A "$HOME"; '${process.execPath}' -e '${connecting}'`;
    const env = { ...fixture.env, HOME: join(fixture.folder, "home") };
    const said = await fixture.use("run", { argv: ["sh", "-c", script] }, { confine: await open(), env });
    expect(said.split("\n").slice(1)).toEqual([expect.stringContaining("No such file"), "ENOENT", ""]);
    server.close();
  });

  test("it reaches the hosts that are allowed; of others the model is told and the audit too", async () => {
    await using listed = await startTextServer("listed", "127.0.0.2");
    await using unlisted = await startTextServer("unlisted", "127.0.0.2");
    const [allowed, other] = [listed, unlisted].map(({ port }) => `http://127.0.0.2:${port}`);
    const ask = `${fetching(`${allowed}`)}.then(() => ${fetching(`${other}`)}).then(() => ${fetching(`${other}/again`)})`;
    const confine = await open([`127.0.0.2:${listed.port}`]);
    const said = await fixture.use("run", { argv: [process.execPath, "-e", ask] }, { confine });
    expect(said.split("\n")).toEqual([
      "[Exit code 0.]",
      "200 listed",
      expect.stringMatching(/^TypeError: fetch failed/u),
      expect.stringMatching(/^TypeError: fetch failed/u),
      "",
      `[The sandbox does not lead to 127.0.0.2:${unlisted.port}.]`,
    ]);
    expect([listed.requests, unlisted.requests]).toEqual([1, 0]);
    expect(fixture.audited).toEqual([
      { tool: "run", subject: `127.0.0.2:${unlisted.port}`, outcome: "refused", message: "The sandbox does not lead there." },
      { tool: "run", subject: expect.stringContaining("fetch("), outcome: "done", message: null },
    ]);
    expect(await told()).toEqual([]);
  });

  test("with no host allowed it reaches none, not even of this machine", async () => {
    await using server = await startTextServer("hello");
    const said = await fixture.use(
      "run",
      { argv: [process.execPath, "-e", fetching(`http://127.0.0.1:${server.port}`)] },
      { confine: await open() },
    );
    expect(said).toContain("ECONNREFUSED");
    expect(server.requests).toBe(0);
  });

  test("a sandbox that the model has put on the PATH is not the one that is used", async () => {
    await mkdir(join(fixture.workspace, "bin"));
    await writeFile(join(fixture.workspace, "bin/bwrap"), `#!/bin/sh\ntouch '${fixture.folder}/pwn'\n`, { mode: 0o755 });
    const env = { ...fixture.env, PATH: `${fixture.workspace}/bin:${fixture.env["PATH"]}` };
    expect(await fixture.use("run", { argv: ["echo", "hello"] }, { confine: await open([], env), env })).toBe("[Exit code 0.]\nhello\n");
    expect(await readdir(fixture.folder)).not.toContain("pwn");
  });

  test("a machine without a sandbox has none", async () => {
    const { workspace, folder } = fixture;
    const options = { workspace, env: { PATH: folder }, home: folder, readable: [], hosts: [], directory: folder, clock: systemClock };
    expect(await createConfine(options, signal)).toBeNull();
  });
});

describe("which programs run", () => {
  const refusedLike = (message: RegExp) => [
    { tool: "run", subject: expect.any(String), outcome: "refused", message: expect.stringMatching(message) },
  ];

  test("none, where there is no sandbox and nobody has allowed any", async () => {
    await fixture.use("run", { argv: ["true"] });
    expect(fixture.audited).toEqual(refusedLike(/^There is no sandbox here/u));
  });

  test("where some are allowed, those, by name, as the PATH outside of the workspace has them", async () => {
    await mkdir(join(fixture.workspace, "bin"));
    for (const name of ["echo", "bin/echo", "bin/mine"]) {
      await writeFile(join(fixture.workspace, name), "#!/bin/sh\ntouch pwn\n", { mode: 0o755 });
    }
    const env = { ...fixture.env, PATH: `${fixture.workspace}/bin:bin:.:${fixture.env["PATH"]}` };
    const change = { env, allowedCommands: ["echo", "mine"] };
    expect(await fixture.use("run", { argv: ["echo", "real"] }, change)).toBe("[Exit code 0.]\nreal\n");
    expect(await fixture.use("run", { argv: ["mine"] }, change)).toBe("mine is allowed, but not installed outside of the workspace.");
    expect(await readdir(fixture.workspace)).toEqual(["bin", "echo"]);
  });

  test.each([
    "touch",
    "./echo",
    "bin/echo",
    "/bin/echo",
    "/bin/../bin/echo",
    "ECHO",
    "echo ",
    " echo",
    "echo\n",
    "echo;touch",
    "*",
    "echo\0",
  ])("not %j, where only echo is allowed", async (program) => {
    await fixture.use("run", { argv: [program, "pwn"] }, { allowedCommands: ["echo"] });
    expect(fixture.audited).toEqual(refusedLike(/is not among the programs that may be run: echo\.$|NUL character/u));
    expect(await readdir(fixture.workspace)).toEqual([]);
  });

  test("none at all, where the list is empty", async () => {
    await fixture.use("run", { argv: ["true"] }, { allowedCommands: [] });
    expect(fixture.audited).toEqual(refusedLike(/may be run: none\.$/u));
  });
});
