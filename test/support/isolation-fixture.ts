import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { ProjectConfig } from "../../src/contract/config.ts";
import type { Isolation, WrapRequest } from "../../src/isolation/isolation.ts";
import { noLimits } from "../../src/process/limits.ts";
import type { HeldCommand } from "../../src/process/host.ts";
import type { RealProcessHost } from "../../src/process/real-host.ts";
import { openHost } from "./agent-run.ts";
import { PATH, PROGRAMS } from "./held-command.ts";
import { processesNaming } from "./leftovers.ts";
import { sampleConfig, sampleProject } from "./samples.ts";

/** How one isolation is had for a test, in a folder of the test's own. */
export interface IsolationSubject {
  open(folder: string): Promise<OpenIsolation>;
}

export interface OpenIsolation extends AsyncDisposable {
  readonly isolation: Isolation;
  /** What a person would have configured for it to work here. */
  readonly config?: Partial<ProjectConfig>;
  /** Of the project whose commit it may look into. */
  readonly archive?: WrapRequest["source"]["archive"];
}

/** An isolation, the real process host and a workspace. Disposing of it fails when anything is left. */
export interface IsolationFixture extends AsyncDisposable, OpenIsolation {
  readonly host: RealProcessHost;
  readonly folder: string;
  readonly workspace: string;
  readonly configDirectory: string;
  /** A program of test/programs as a command in the workspace. */
  readonly command: (program: string, ...args: string[]) => HeldCommand;
  /** Wraps a command and has it held; resolves with its folder. */
  readonly start: (command: HeldCommand, change?: Partial<WrapRequest>) => Promise<string>;
  readonly end: (command: Pick<HeldCommand, "directory" | "marker">, graceMs?: number) => Promise<void>;
}

const { signal } = new AbortController();

export async function openIsolationFixture(subject: IsolationSubject): Promise<IsolationFixture> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "isolation-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  stack.defer(() => expect.poll(() => processesNaming(folder), { timeout: 20_000 }).toEqual([]));
  const [workspace, configDirectory] = [join(folder, "workspace"), join(folder, "config")];
  await mkdir(workspace);
  await mkdir(configDirectory, { mode: 0o700 });
  const opened = stack.use(await subject.open(folder));
  const host = openHost(folder);
  stack.defer(() => host.close());
  stack.defer(async () => expect([...(await host.sweep(() => false)), ...(await opened.isolation.sweep(() => false))]).toEqual([]));
  const project = sampleProject();
  let commands = 0;
  const command = (program: string, ...args: string[]): HeldCommand => {
    const marker = `run_${(commands += 1)}`;
    const interpreter = program.endsWith(".ts") ? process.execPath : "/bin/sh";
    const argv = [interpreter, join(PROGRAMS, program), ...args] as const;
    return { directory: join(folder, marker), argv, cwd: workspace, env: { PATH }, files: {}, stdin: "", marker, limits: noLimits };
  };
  const start = async (command: HeldCommand, change: Partial<WrapRequest> = {}): Promise<string> => {
    const request: WrapRequest = {
      command,
      title: "sample#1",
      workspace,
      configDirectory,
      project,
      config: sampleConfig(opened.config),
      // Where the tree itself lies among temporary files, no isolation shows it by itself.
      reach: { hosts: [], files: [], programs: command.argv.filter((word) => word.startsWith(PROGRAMS)) },
      terminal: false,
      source: { commit: "c".repeat(40), archive: opened.archive ?? (() => Promise.reject(new Error("There is no repository."))) },
      ...change,
    };
    await host.start(await opened.isolation.wrap(request, signal));
    return command.directory;
  };
  const end = async ({ directory, marker }: Pick<HeldCommand, "directory" | "marker">, graceMs = 0) => {
    await host.stop(directory, { marker, graceMs });
    await opened.isolation.release(marker);
  };
  const all = stack.move();
  return { ...opened, host, folder, workspace, configDirectory, command, start, end, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
