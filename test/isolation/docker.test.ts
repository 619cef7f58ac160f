import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createDocker } from "../../src/isolation/docker.ts";
import { scopeId } from "../../src/process/scope.ts";
import { describeConfinement, describeIsolation, readers } from "../conformance/isolation.ts";
import { containersOf, startDocker, type DockerFixture } from "../support/docker.ts";
import { PROGRAMS } from "../support/held-command.ts";
import { openIsolationFixture, type IsolationFixture, type IsolationSubject } from "../support/isolation-fixture.ts";
import { needs } from "../support/needs.ts";
import { sampleConfig } from "../support/samples.ts";

const { signal } = new AbortController();
const { docker: defaults } = sampleConfig();

interface Inspected {
  readonly Config: object;
  readonly HostConfig: object;
  readonly Mounts: readonly { readonly Source: string; readonly Destination: string; readonly RW: boolean }[];
}

describe.skipIf(!needs("docker").ok)("Docker", () => {
  let engine: DockerFixture;
  beforeAll(async () => {
    engine = await startDocker();
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());

  /** The project's repository holds these files. */
  const subject = (files: Record<string, string> = { Dockerfile: "FROM drover-test\n" }): IsolationSubject => ({
    open: async (folder) => {
      const tree = join(folder, "repository");
      for (const [name, content] of Object.entries(files)) {
        await mkdir(join(tree, name, ".."), { recursive: true });
        await writeFile(join(tree, name), content);
      }
      await mkdir(tree, { recursive: true });
      return {
        isolation: createDocker({ clock: systemClock, scope: scopeId(folder), home: folder, socket: engine.socket }),
        archive: async (file) => void execFileSync("tar", ["-C", tree, "-cf", file, "."]),
        async [Symbol.asyncDispose]() {
          expect(containersOf(engine)).toEqual([]);
        },
      };
    },
  });

  describeIsolation("docker", subject());
  describeConfinement("docker", subject());

  async function open(files?: Record<string, string>): Promise<IsolationFixture> {
    const fixture = await openIsolationFixture(subject(files));
    onTestFinished(() => fixture[Symbol.asyncDispose]());
    return fixture;
  }

  const inspect = (fixture: IsolationFixture, marker: string) => {
    const [id = ""] = engine.docker("ps", "--all", "--quiet", "--filter", `label=drover.run=${marker}`).split("\n");
    const [{ Config, HostConfig, Mounts }] = JSON.parse(engine.docker("inspect", id)) as [Inspected];
    return {
      Config,
      HostConfig,
      mounts: Mounts.map(({ Source, Destination, RW }) => [Source.replace(fixture.folder, "."), Destination, RW]),
    };
  };
  const until = (fixture: IsolationFixture, directory: string, line: string) => readers(() => fixture).until(directory, line);

  test("a container has the workspace at /workspace, labels, limits, the bridge, and none of root's rights", async () => {
    const fixture = await open();
    const limits = { memoryBytes: 256 * 2 ** 20, cpus: 0.5, processes: 99 };
    const command = { ...fixture.command("waits.sh"), limits };
    const directory = await fixture.start({ ...command, env: { ...command.env, API_KEY: "key", WHERE: `${fixture.workspace}/deep` } });
    await until(fixture, directory, "ready");
    const { Config, HostConfig, mounts } = inspect(fixture, command.marker);
    expect(Config).toMatchObject({
      WorkingDir: "/workspace",
      User: "0:0",
      Tty: false,
      Labels: {
        "drover.run": command.marker,
        "drover.scope": scopeId(fixture.folder),
        "drover.task": "sample#1",
        "drover.project": "sample",
      },
      Env: expect.arrayContaining([
        "API_KEY=key",
        "WHERE=/workspace/deep",
        `HOME=${fixture.configDirectory}`,
        `DROVER_RUN=${command.marker}`,
      ]),
    });
    expect(HostConfig).toMatchObject({
      NetworkMode: "bridge",
      Privileged: false,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: 500_000_000,
      PidsLimit: 99,
      Init: true,
    });
    expect(mounts).toEqual(
      expect.arrayContaining([
        ["./workspace", "/workspace", true],
        ["./config", fixture.configDirectory, true],
        [join(PROGRAMS, "waits.sh"), join(PROGRAMS, "waits.sh"), false],
      ]),
    );
    expect(mounts).toHaveLength(3);
    await fixture.end(command);
    expect(containersOf(engine)).toEqual([]);
  });

  test("the limits of a container that runs are changed, and nothing is when it is gone", async () => {
    const fixture = await open();
    const command = { ...fixture.command("waits.sh"), limits: { memoryBytes: 256 * 2 ** 20, cpus: 1, processes: 99 } };
    await until(fixture, await fixture.start(command), "ready");
    const memoryBytes = 128 * 2 ** 20;
    const change = () => fixture.isolation.limit?.(command.marker, { memoryBytes, cpus: 0.5, processes: 55 });
    await change();
    expect(inspect(fixture, command.marker).HostConfig).toMatchObject({
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      NanoCpus: 500_000_000,
      PidsLimit: 55,
    });
    await fixture.end(command);
    await change();
  });

  test("only the home's configuration makes a container privileged", async () => {
    const fixture = await open();
    const command = fixture.command("waits.sh");
    const config = sampleConfig({ docker: { ...defaults, mounts: [PROGRAMS], privileged: true } });
    // Whether it may start is up to the rights that this machine's root has left.
    await fixture.start(command, { config });
    expect(inspect(fixture, command.marker).HostConfig).toMatchObject({ Privileged: true, CapDrop: null });
    await fixture.end(command);
  });

  test("one that reaches its limit on memory has ended for that reason, and another lives", async () => {
    const fixture = await open();
    const other = fixture.command("waits.sh");
    await until(fixture, await fixture.start(other), "ready");
    const limits = { memoryBytes: 128 * 2 ** 20, cpus: null, processes: null };
    const allocate = "const kept = []; for (;;) kept.push(Buffer.alloc(2 ** 20, 1));";
    const command = { ...fixture.command("waits.sh"), argv: [process.execPath, "-e", allocate] as const, limits };
    const directory = await fixture.start(command);
    expect(await fixture.host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: null, signal: 9, outOfMemory: true });
    expect((await fixture.host.inspect(other.directory)).state).toBe("running");
    await fixture.end(command);
    await fixture.end(other);
  });

  test("images are made in two stages, once for a commit, and what they replace is removed", async () => {
    const tree = { Dockerfile: "FROM drover-test\nCOPY tool /usr/bin/tool\n", tool: "one" };
    const fixture = await open(tree);
    const run = async (commit: string, change: Record<string, string> = {}) => {
      let archived = 0;
      const archive = async (file: string) => {
        archived += 1;
        for (const [name, content] of Object.entries(change)) await writeFile(join(fixture.folder, "repository", name), content);
        execFileSync("tar", ["-C", join(fixture.folder, "repository"), "-cf", file, "."]);
      };
      const command = { ...fixture.command("waits.sh"), argv: ["sh", "-c", "cat /usr/bin/tool; echo; git config user.name"] as const };
      const directory = await fixture.start(command, { source: { commit, archive } });
      const lines = await readers(() => fixture).read(directory);
      await fixture.end(command);
      const images = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split("\n");
      return { archived, lines, images: images.filter((name) => name.includes("/sample:")).toSorted() };
    };
    const names = (images: string[]) => images.map((name) => name.replace(/:[0-9a-f]{32}$/u, ":HASH"));
    const both = ["drover-agent/sample:HASH", "drover-agent/sample:latest", "drover-base/sample:HASH", "drover-base/sample:latest"];
    const first = await run("a".repeat(40));
    expect({ ...first, images: names(first.images) }).toEqual({ archived: 1, lines: ["one", "Drover"], images: both });
    expect(await run("a".repeat(40))).toEqual({ ...first, archived: 0 });
    // Another commit with the same content: looked at, and nothing new comes of it but a name.
    const same = await run("b".repeat(40));
    expect([same.archived, same.lines, names(same.images)]).toEqual([1, first.lines, both]);
    expect(same.images[0]).toBe(first.images[0]);
    const changed = await run("c".repeat(40), { tool: "two" });
    expect([changed.lines, names(changed.images)]).toEqual([["two", "Drover"], both]);
    expect(changed.images[0]).not.toBe(first.images[0]);
    expect(engine.docker("images", "--quiet", "--filter", "dangling=true")).toBe("");
  });

  test("docker.setup puts the agent into an image of its own, and it is not looked for here", async () => {
    const fixture = await open();
    const setup = "printf '#!/bin/sh\\necho I am inside\\n' >/usr/bin/some-agent && chmod +x /usr/bin/some-agent";
    const config = sampleConfig({ docker: { ...defaults, setup } });
    expect([fixture.isolation.bringsAgent(sampleConfig()), fixture.isolation.bringsAgent(config)]).toEqual([false, true]);
    const command = { ...fixture.command("waits.sh"), argv: ["some-agent"] as const };
    const directory = await fixture.start(command, { config });
    expect(await readers(() => fixture).read(directory)).toEqual(["I am inside"]);
    await fixture.end(command);
  });

  test("without a Dockerfile the configured image is taken, and without that it is said what to do", async () => {
    const fixture = await open({ "README.md": "none\n" });
    const command = fixture.command("prints.sh", "0");
    const source = { commit: "f".repeat(40), archive: fixture.archive ?? (() => Promise.reject(new Error("There is none."))) };
    await expect(fixture.start(command, { source })).rejects.toMatchObject({
      message: expect.stringContaining("its repository has no Dockerfile on main. Add one, or set docker.image."),
      details: { reason: "image_failed" },
    });
    const config = sampleConfig({ docker: { ...defaults, mounts: [PROGRAMS], image: engine.image } });
    const directory = await fixture.start(command, { config, source });
    expect(await fixture.host.waitForEnd(directory, signal)).toMatchObject({ exitCode: 0 });
    await fixture.end(command);
  });

  test("a build that fails says how, is not tried again at once, and is when there is something new", async () => {
    const fixture = await open({ Dockerfile: "FROM drover-test\nRUN echo some words && exit 7\n" });
    const command = fixture.command("prints.sh", "0");
    let archived = 0;
    const archive = async (file: string) => {
      archived += 1;
      execFileSync("tar", ["-C", join(fixture.folder, "repository"), "-cf", file, "."]);
    };
    const attempt = (commit: string) => fixture.start(command, { source: { commit, archive } });
    for (const _ of [1, 2]) {
      await expect(attempt("d".repeat(40))).rejects.toMatchObject({
        message: expect.stringMatching(/^The Docker image of sample could not be made: [^]*returned a non-zero code: 7[^]*some words/u),
        details: { reason: "image_failed" },
      });
    }
    expect(archived).toBe(1);
    await writeFile(join(fixture.folder, "repository/Dockerfile"), "FROM drover-test\n");
    await fixture.host.waitForEnd(await attempt("e".repeat(40)), signal);
    expect(archived).toBe(2);
    await fixture.end(command);
  });

  test("a container that can't be made fails its run alone", async () => {
    const fixture = await open();
    const config = sampleConfig({ docker: { ...defaults, mounts: ["/not/there"] } });
    await expect(fixture.start(fixture.command("waits.sh"), { config })).rejects.toMatchObject({
      message: expect.stringMatching(/^The container could not be made: .*\/not\/there/u),
      details: { reason: "isolation_failed" },
    });
  });

  test("a container whose program was killed is removed with its run", async () => {
    const fixture = await open();
    const command = fixture.command("waits.sh");
    const directory = await fixture.start(command);
    await until(fixture, directory, "ready");
    const state = await fixture.host.inspect(directory);
    if (state.state === "running") process.kill(state.identity.pid, "SIGKILL");
    expect(await fixture.host.waitForEnd(directory, signal)).toMatchObject({ signal: 9 });
    expect(containersOf(engine)).toHaveLength(1);
    await fixture.isolation.release(command.marker);
    expect(containersOf(engine)).toEqual([]);
    await fixture.end(command);
  });

  test("says what to do where no engine answers", async () => {
    const isolation = createDocker({ clock: systemClock, scope: "none", home: "/nowhere", socket: "/nowhere/docker.sock" });
    expect(await isolation.detect(signal)).toEqual({
      available: false,
      message: expect.stringMatching(
        /does not answer at \/nowhere\/docker\.sock.*Install Docker, start its engine, or set docker\.socket/u,
      ),
    });
    expect(await isolation.sweep(() => false)).toEqual([]);
  });
});
