import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rollbackConfig, setConfig } from "./edit.ts";
import { ConfigWatch } from "./watch.ts";

let folder: string;
let globalFile: string;
let projectFile: string;
let config: ConfigWatch;
let happened: string[];
let waiting: (() => void) | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-watch-"));
  globalFile = join(folder, "home", "config.yaml");
  projectFile = join(folder, "project", ".drover", "config.yaml");
  mkdirSync(join(folder, "home"));
  mkdirSync(join(folder, "project"));
  happened = [];
  waiting = undefined;
});
afterEach(async () => {
  await config.stop();
  await config.stop();
  rmSync(folder, { recursive: true });
});

function start(projectFiles: readonly string[] = []): void {
  const tell = (what: string) => {
    happened.push(what.replaceAll(`${folder}/`, ""));
    waiting?.();
  };
  config = new ConfigWatch({
    globalFile,
    env: {},
    projectFiles,
    onChange: (loaded, keys) => tell(`${loaded.file}: ${keys.join(" ") || "right again"}`),
    onRejected: (error, file) => tell(`${file} rejected: ${error.message.split("\n")[1]?.trim()}`),
  });
}

/** Waits until something was told since the last call, and returns it. */
async function told(): Promise<string[]> {
  if (happened.length === 0) await new Promise<void>((resolve) => (waiting = resolve));
  return happened.splice(0);
}

function write(file: string, text: string): void {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const maxProcesses = () => config.current().config.daemon.maxProcesses;

describe("the home's file", () => {
  test("a file that is wrong at the start is refused", () => {
    write(globalFile, "daemon: { port: banana }\n");
    expect(() => start()).toThrow("daemon.port is");
    rmSync(globalFile);
    start();
  });

  test("changes take effect however they are written: in place, by rename, anew, by removal", async () => {
    start();
    expect([maxProcesses(), config.version]).toEqual([2, null]);
    write(globalFile, "daemon: { maxProcesses: 3 }\n");
    expect([await told(), maxProcesses(), config.version]).toEqual([["home/config.yaml: daemon.maxProcesses"], 3, 1]);
    replace(globalFile, "daemon: { maxProcesses: 4, port: 4000 }\n");
    expect([await told(), maxProcesses()]).toEqual([["home/config.yaml: daemon.maxProcesses daemon.port"], 4]);
    replace(globalFile, "daemon: { maxProcesses: 5, port: 4000 }\n");
    expect([await told(), maxProcesses()]).toEqual([["home/config.yaml: daemon.maxProcesses"], 5]);
    setConfig(globalFile, "daemon.maxProcesses", "6", { scope: "global", env: {} });
    expect([await told(), maxProcesses(), config.version]).toEqual([["home/config.yaml: daemon.maxProcesses"], 6, 4]);
    rmSync(globalFile);
    expect([await told(), maxProcesses(), config.version]).toEqual([["home/config.yaml: daemon.maxProcesses daemon.port"], 2, null]);
  });

  test("a wrong file changes nothing until it is right, whatever is in it then", async () => {
    write(globalFile, "daemon: { maxProcesses: 3 }\n");
    start();
    write(globalFile, "daemon: [broken\n");
    expect(await told()).toEqual([
      "home/config.yaml rejected: home/config.yaml:2:1: This is not valid YAML. Flow sequence in block collection must be sufficiently indented and end with a ].",
    ]);
    expect([maxProcesses(), config.version, config.errorOf(globalFile)?.code]).toEqual([3, 1, "invalid"]);
    write(globalFile, "daemon: { maxProcesses: 3 }\n");
    expect(await told()).toEqual(["home/config.yaml: right again"]);
    write(globalFile, "daemon: { maxProcesses: 0 }\n");
    expect(await told()).toEqual([
      "home/config.yaml rejected: home/config.yaml:1:25: daemon.maxProcesses is 0; allowed: a whole number from 1 to 1000.",
    ]);
    write(globalFile, "daemon: { maxProcesses: 7 }\n");
    expect([await told(), maxProcesses(), config.errorOf(globalFile)]).toEqual([["home/config.yaml: daemon.maxProcesses"], 7, undefined]);
  });

  test("rolling back takes effect like any other change", async () => {
    write(globalFile, "daemon: { maxProcesses: 3 }\n");
    start();
    write(globalFile, "daemon: { maxProcesses: 4 }\n");
    await told();
    expect(rollbackConfig(globalFile, {})).toBe(1);
    expect([await told(), maxProcesses(), config.version]).toEqual([["home/config.yaml: daemon.maxProcesses"], 3, 1]);
  });

  test("a text that says the same is no change", async () => {
    write(globalFile, "daemon: { maxProcesses: 3 }\n");
    start([projectFile]);
    write(globalFile, "# the same\ndaemon:\n  maxProcesses: 3\n");
    write(projectFile, "intake: { labels: [bot] }\n");
    expect(await told()).toEqual(["project/.drover/config.yaml: intake.labels"]);
    replace(globalFile, "daemon: { maxProcesses: 4 }\n");
    expect(await told()).toEqual(["home/config.yaml: daemon.maxProcesses"]);
  });

  test("nothing is told after the stop", async () => {
    start();
    await config.stop();
    write(globalFile, "daemon: { maxProcesses: 3 }\n");
    await config[Symbol.asyncDispose]();
    expect([happened, maxProcesses()]).toEqual([[], 2]);
  });
});

describe("a project's file", () => {
  const labels = () => config.project(projectFile)?.config.intake.labels;
  const timeout = () => config.project(projectFile)?.config.defaults.timeout;

  test("it is noticed when it appears, folder and all, and when it goes", async () => {
    start([projectFile]);
    expect(labels()).toEqual(["Claude"]);
    write(projectFile, "intake: { labels: [bot] }\n");
    expect([await told(), labels()]).toEqual([["project/.drover/config.yaml: intake.labels"], ["bot"]]);
    rmSync(join(projectFile, ".."), { recursive: true });
    expect([await told(), labels()]).toEqual([["project/.drover/config.yaml: intake.labels"], ["Claude"]]);
  });

  test("a project can be added and taken out while running", async () => {
    write(projectFile, "intake: { labels: [bot] }\n");
    start();
    expect(config.project(projectFile)).toBeUndefined();
    config.watchProject(projectFile);
    expect(labels()).toEqual(["bot"]);
    replace(projectFile, "intake: { labels: [ai] }\n");
    expect([await told(), labels()]).toEqual([["project/.drover/config.yaml: intake.labels"], ["ai"]]);
    config.unwatchProject(projectFile);
    replace(projectFile, "intake: { labels: [never] }\n");
    write(globalFile, "daemon: { maxProcesses: 3 }\n");
    expect([await told(), config.project(projectFile)]).toEqual([["home/config.yaml: daemon.maxProcesses"], undefined]);
  });

  test("one that is wrong from the start gives no configuration until it is right", async () => {
    write(projectFile, "intake: { labels: bot }\n");
    start([projectFile]);
    expect([config.project(projectFile), config.errorOf(projectFile)?.message.split("\n")[1]]).toEqual([
      undefined,
      `  ${projectFile}:1:19: intake.labels is "bot"; allowed: a list of at least 1, each text that is not empty.`,
    ]);
    write(projectFile, "intake: { labels: [bot] }\n");
    await told();
    expect([labels(), config.errorOf(projectFile)]).toEqual([["bot"], undefined]);
  });

  test("a limit of the home's file that is tightened holds at once, for a project whose file is wrong now too", async () => {
    write(projectFile, "defaults: { timeout: 500000 }\nintake: { labels: [bot] }\n");
    start([projectFile]);
    write(projectFile, "defaults: [broken\n");
    await told();
    expect([timeout(), labels()]).toEqual([500_000, ["bot"]]);
    write(globalFile, "defaults: { timeout: 1000 }\n");
    expect(await told()).toEqual(["home/config.yaml: defaults.timeout", "project/.drover/config.yaml: defaults.timeout"]);
    expect([timeout(), labels(), config.errorOf(projectFile)?.code]).toEqual([1000, ["bot"], "invalid"]);
  });

  test("it is right again when the home's file gives what it asks for", async () => {
    start([projectFile]);
    write(projectFile, "defaults: { agent: mine }\n");
    expect(await told()).toEqual([
      `project/.drover/config.yaml rejected: project/.drover/config.yaml:1:20: defaults.agent is "mine"; allowed: one of agents, which are claude, codex, gemini, opencode, builtin.`,
    ]);
    write(globalFile, "agents: { mine: { driver: claude } }\n");
    const [first = "", second] = await told();
    expect(first).toContain("home/config.yaml: agents.mine.driver");
    expect(second).toContain("defaults.agent");
    expect(config.project(projectFile)?.config.defaults.agent).toBe("mine");
  });
});

test("the versions that were in force are kept beside the file", () => {
  write(globalFile, "daemon: { maxProcesses: 3 }\n");
  start();
  expect(readFileSync(join(folder, "home", "config-history", "0001.yaml"), "utf8")).toBe("daemon: { maxProcesses: 3 }\n");
});
