import { execFileSync } from "node:child_process";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { Tmux } from "../../src/isolation/tmux.ts";
import { scopeId } from "../../src/process/scope.ts";
import { describeIsolation, readers } from "../conformance/isolation.ts";
import { openIsolationFixture, type IsolationFixture, type IsolationSubject } from "../support/isolation-fixture.ts";
import { needs } from "../support/needs.ts";

const PATH = process.env["PATH"] ?? "";
const { signal } = new AbortController();

const subject: IsolationSubject = {
  open: async (folder) => {
    const isolation = new Tmux({ clock: systemClock, scope: scopeId(folder), path: PATH });
    return { isolation, async [Symbol.asyncDispose]() {} };
  },
};

describe.skipIf(!needs("tmux").ok)("tmux", () => {
  describeIsolation("tmux", subject);

  test("each agent has a window that is called like its task, and none is left when they have ended", async () => {
    const fixture = await open();
    const [one, other] = [fixture.command("waits.sh"), fixture.command("waits.sh")];
    await fixture.until(await fixture.start(one, { title: "api#42" }), "ready");
    await fixture.until(await fixture.start(other, { title: "web shop#7; rm -rf" }), "ready");
    expect(fixture.tmux("list-windows", "-t", "drover", "-F", "#{window_name}").split("\n")).toEqual(["api-42", "web-shop-7-rm--rf"]);
    await fixture.end(one);
    expect(fixture.tmux("list-windows", "-t", "drover", "-F", "#{window_name}")).toBe("web-shop-7-rm--rf");
    await fixture.end(other);
    expect(() => fixture.tmux("list-sessions")).toThrow(/no server running|error connecting/u);
  });

  test("a window shows what its agent prints, without control characters, and takes no keys", async () => {
    const fixture = await open();
    const script = String.raw`printf 'plain \033]0;title\007\033[2Jtext\n'; printf 'é漢\n'; printf 'ready\n'; exec sleep 1000000`;
    const command = { ...fixture.command("waits.sh"), argv: ["/bin/sh", "-c", script] as const };
    const directory = await fixture.start(command);
    await fixture.until(directory, "ready");
    const screen = () => fixture.tmux("capture-pane", "-p", "-t", "drover").split("\n").slice(0, 3);
    await vi.waitFor(() => expect(screen()).toEqual(["plain ]0;title[2Jtext", "é漢", "ready"]), { timeout: 20_000 });
    fixture.tmux("send-keys", "-t", "drover", "C-c", "x", "Enter", "C-d", "C-z", "C-s");
    expect(fixture.tmux("display-message", "-p", "-t", "drover", "#{pane_dead}")).toBe("0");
    expect((await fixture.host.inspect(directory)).state).toBe("running");
    await fixture.end(command);
  });

  test("kill-server ends the agents in it: their runs fail, and the next one has a server again", async () => {
    const fixture = await open();
    const command = fixture.command("waits.sh");
    const directory = await fixture.start(command);
    await fixture.until(directory, "ready");
    fixture.tmux("kill-server");
    expect(await fixture.host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 1, signal: null });
    expect(await fixture.host.readErrors(directory, 1000)).toContain("its server was ended");
    await fixture.end(command);
    const next = fixture.command("waits.sh");
    await fixture.until(await fixture.start(next), "ready");
    await fixture.end(next);
  });

  test("a closed window fails its own run alone", async () => {
    const fixture = await open();
    const [closed, other] = [fixture.command("ignores-sigterm.sh"), fixture.command("waits.sh")];
    const directory = await fixture.start(closed, { title: "closed" });
    await fixture.until(directory, "ready");
    await fixture.until(await fixture.start(other, { title: "other" }), "ready");
    fixture.tmux("kill-window", "-t", "drover:closed");
    expect(await fixture.host.waitForEnd(directory, signal)).toMatchObject({ exitCode: 1 });
    expect((await fixture.host.inspect(other.directory)).state).toBe("running");
    await fixture.end(closed);
    await fixture.end(other);
  });

  test.skipIf(!needs("cgroups").ok)("the limits of the held command hold for what is in the window", async () => {
    const fixture = await open();
    const limits = { memoryBytes: 200 * 2 ** 20, cpus: null, processes: null };
    const command = { ...fixture.command("waits.sh"), argv: ["/bin/sh", "-c", "cat /proc/self/cgroup"] as const, limits };
    const directory = await fixture.start(command);
    const lines = await readers(() => fixture).read(directory);
    await fixture.end(command);
    expect(lines.some((line) => line.includes(command.marker))).toBe(true);
  });

  test("a person can be led to the window of a run, to look alone if they wish", async () => {
    const fixture = await open();
    const command = fixture.command("waits.sh");
    await fixture.until(await fixture.start(command), "ready");
    const socket = `drover-${scopeId(fixture.folder)}`;
    const attach = (marker: string, isReadOnly: boolean) => (fixture.isolation as Tmux).attach(marker, isReadOnly);
    expect(await attach(command.marker, false)).toEqual([
      "tmux",
      "-L",
      socket,
      "attach-session",
      "-t",
      expect.stringMatching(/^=drover:@\d+$/u),
    ]);
    expect(await attach(command.marker, true)).toContain("-r");
    expect(await attach("run_of_another", false)).toBeUndefined();
    await fixture.end(command);
  });

  test.each([
    ["/nowhere", "Install tmux 3.2 or newer."],
    ["old", "This is tmux 3.1c. Install tmux 3.2 or newer."],
  ])("says what to install where the PATH is %s", async (where, message) => {
    const fixture = await open();
    const path = where === "old" ? `${fixture.folder}/bin` : where;
    execFileSync("sh", ["-c", `mkdir -p bin && printf '#!/bin/sh\\necho tmux 3.1c\\n' >bin/tmux && chmod +x bin/tmux`], {
      cwd: fixture.folder,
    });
    const isolation = new Tmux({ clock: systemClock, scope: "none", path });
    expect(await isolation.detect(signal)).toEqual({ available: false, message });
  });
});

async function open() {
  const fixture = await openIsolationFixture(subject);
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const tmux = (...args: string[]) =>
    execFileSync("tmux", ["-L", `drover-${scopeId(fixture.folder)}`, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trimEnd();
  const { until } = readers((): IsolationFixture => fixture);
  return { ...fixture, tmux, until };
}
