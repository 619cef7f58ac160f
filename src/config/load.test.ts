import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { AgentConfig, Config, projectSections } from "../contract/config.ts";
import { type LoadedConfig, loadConfig, loadProjectConfig } from "./load.ts";
import type { Problem } from "./problem.ts";
import { sections, settingSchemas } from "./schema.ts";
import type { Environment } from "./text-value.ts";
import { treeOf } from "./tree.ts";

let folder: string;
let globalFile: string;
let projectFile: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-config-"));
  globalFile = join(folder, "config.yaml");
  projectFile = join(folder, "project.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(text: string | undefined, env: Environment = {}, flags: Record<string, unknown> = {}): LoadedConfig {
  if (text !== undefined) writeFileSync(globalFile, text);
  return loadConfig({ globalFile, env, flags });
}

function loadProject(global: LoadedConfig, text: string) {
  writeFileSync(projectFile, text);
  return loadProjectConfig(global, projectFile);
}

/** The failure as its place, path and message: what `details.issues` holds. */
function issuesOf(fails: () => unknown): [place: string, path: string, message: string][] {
  try {
    fails();
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "invalid") throw thrown;
    const issues = thrown.details["issues"] as Problem[];
    return issues.map(({ place, line, column, path, message }) => [
      [place?.replace(`${folder}/`, ""), line, column].filter(Boolean).join(":"),
      path,
      message,
    ]);
  }
  throw new Error("nothing was thrown");
}

function originOf(config: { settings(): ReturnType<LoadedConfig["settings"]> }, key: string) {
  const { origin, place, value } = config.settings().find((setting) => setting.key === key) ?? {};
  return [value, origin, place?.replace(`${folder}/`, "") ?? null];
}

describe("layers", () => {
  test("without a file every setting has its default, and nothing is written", () => {
    const loaded = load(undefined);
    expect(loaded.config).toEqual(Config.parse({}));
    expect(new Set(loaded.settings().map(({ origin }) => origin))).toEqual(new Set(["default"]));
    expect(readdirSync(folder)).toEqual([]);
  });

  test("the defaults are those that the documentation promises", () => {
    const { daemon, resources, defaults } = load(undefined).config;
    expect({
      maxProcesses: daemon.maxProcesses,
      schedulingStrategy: daemon.schedulingStrategy,
      port: daemon.port,
      ...resources,
      pollingInterval: defaults.pollingInterval,
      timeout: defaults.timeout,
      retryAttempts: defaults.retryAttempts,
    }).toEqual({
      maxProcesses: 2,
      schedulingStrategy: "weighted-round-robin",
      port: 3003,
      maxMemoryMB: 4096,
      maxCpuPercent: 80,
      agentMemoryMB: 3072,
      agentCpuPercent: 100,
      agentProcessesMax: 1024,
      pollingInterval: 300_000,
      timeout: 600_000,
      retryAttempts: 3,
    });
  });

  test("each layer wins over the one before, and says so", () => {
    const key = "defaults.pollingInterval";
    const text = "version: 1\ndefaults:\n  pollingInterval: 2000\n";
    const project = "version: 1\ndefaults: { pollingInterval: 3000 }\n";
    const env = { drover_Defaults_PollingInterval: "4000" };
    expect(originOf(load(undefined), key)).toEqual([300_000, "default", null]);
    expect(originOf(load(text), key)).toEqual([2000, "global file", "config.yaml"]);
    expect(originOf(loadProject(load(text), project), key)).toEqual([3000, "project file", "project.yaml"]);
    expect(originOf(loadProject(load(text, env), project), key)).toEqual([4000, "environment", "drover_Defaults_PollingInterval"]);
    expect(originOf(loadProject(load(text, env, { [key]: 5000 }), project), key)).toEqual([5000, "flag", null]);
  });

  test("mappings are merged member by member, lists are replaced", () => {
    const { config } = load(
      "agents:\n  claude: { model: opus }\n  mine: { driver: command, command: [agent] }\nintake:\n  labels: [bot]\n",
    );
    const standard = Config.parse({}).agents;
    expect(config.agents).toEqual({
      ...standard,
      claude: { ...standard["claude"], model: "opus" },
      mine: AgentConfig.parse({ driver: "command", command: ["agent"] }),
    });
    expect(config.intake.labels).toEqual(["bot"]);
  });

  test("a configuration cannot be changed", () => {
    const { config } = load("intake: { labels: [bot] }\n");
    expect(() => config.intake.labels.push("x")).toThrow(TypeError);
    expect(() => Object.assign(config.daemon, { port: 1 })).toThrow(TypeError);
  });

  test("a section whose settings are all commented out is empty", () => {
    expect(load("daemon:\n  # port: 1\nchecks:\n").config).toEqual(Config.parse({}));
  });

  test("the sections that a project may set are those of its type", () => {
    const ofProject = Object.keys(sections).filter((name) => sections[name]?.scope === "project");
    expect(ofProject).toEqual(projectSections);
  });
});

describe("the environment", () => {
  test("values are read as their setting needs them", () => {
    const { config } = load(undefined, {
      DROVER_DAEMON_MAXPROCESSES: "4",
      DROVER_DAEMON_ALLOWREMOTE: "true",
      DROVER_DAEMON_ALLOWEDORIGINS: "[http://a.example, http://b.example]",
      DROVER_DEFAULTS_BASEBRANCH: "1.0",
      DROVER_DEFAULTS_LANGUAGE: "null",
      DROVER_PROMPTS_INSTRUCTIONS: "yes: [no, #",
      DROVER_CHECKS: "[{ name: test, command: npm test }]",
    });
    expect(config.daemon.maxProcesses).toBe(4);
    expect(config.daemon.allowRemote).toBe(true);
    expect(config.daemon.allowedOrigins).toEqual(["http://a.example", "http://b.example"]);
    expect(config.defaults.baseBranch).toBe("1.0");
    expect(config.defaults.language).toBe(null);
    expect(config.prompts.instructions).toBe("yes: [no, #");
    expect(config.checks).toEqual([{ name: "test", command: "npm test", timeoutMs: 600_000 }]);
  });

  test("every setting can be set by its variable", () => {
    for (const { path, node } of settingSchemas) {
      const variable = `DROVER_${path.join("_").toUpperCase()}`;
      const text = typeof node.default === "string" ? node.default || "text" : JSON.stringify(node.default);
      const set = load(undefined, { [variable]: text })
        .settings()
        .filter(({ origin }) => origin === "environment");
      expect(new Set(set.map(({ place }) => place))).toEqual(new Set([variable]));
    }
  });

  test("what is empty or not ours is passed over", () => {
    const env = { DROVER_DAEMON_PORT: "", DROVER_HOME: "/x", DROVER_RUN: "1", DROVER_VERSION: "9", OTHER: "1", UNSET: undefined };
    expect(load(undefined, env).config).toEqual(Config.parse({}));
  });

  test("an unknown setting of a section is named, with the nearest ones", () => {
    expect(issuesOf(() => load(undefined, { DROVER_DAEMON_MAXPROCESS: "4" }))).toEqual([
      ["DROVER_DAEMON_MAXPROCESS", "", "DROVER_DAEMON_MAXPROCESS names no setting. Did you mean DROVER_DAEMON_MAXPROCESSES?"],
    ]);
  });
});

describe("errors", () => {
  const wrong = `version: 1
daemon:
  maxProces: 3
  port: banana
  schedulingStrategy: fifo
maxProcesses: 5
agents:
  mine: {}
  Bad Name: { driver: claude }
checks:
  - name: test
defaults:
  timeout: 5
  baseBranch: "-x"
  language: 7
github: 5
resources:
  maxCpuPercent: 101
`;
  const issues = [
    ["config.yaml:3:3", "daemon.maxProces", "daemon.maxProces is not a setting. Did you mean daemon.maxProcesses?"],
    ["config.yaml:4:9", "daemon.port", 'daemon.port is "banana"; allowed: a whole number from 0 to 65535.'],
    [
      "config.yaml:5:23",
      "daemon.schedulingStrategy",
      'daemon.schedulingStrategy is "fifo"; allowed: one of round-robin, priority, weighted-round-robin, deadline.',
    ],
    [
      "config.yaml:6:1",
      "maxProcesses",
      "maxProcesses is not a setting. Did you mean daemon.maxProcesses or defaults.maxProcesses or defaults.tddProcesses?",
    ],
    ["config.yaml:8:9", "agents.mine.driver", "agents.mine.driver is missing; it must be text that is not empty."],
    ["config.yaml:9:3", "agents.Bad Name", "agents.Bad Name is not a good name: use a-z, 0-9 and -, beginning with a letter or digit."],
    ["config.yaml:11:5", "checks[0].command", "checks[0].command is missing; it must be text that is not empty."],
    ["config.yaml:13:12", "defaults.timeout", "defaults.timeout is 5; allowed: a whole number from 1000 to 604800000."],
    ["config.yaml:14:15", "defaults.baseBranch", 'defaults.baseBranch is "-x"; use the name of a branch.'],
    ["config.yaml:15:13", "defaults.language", "defaults.language is 7; allowed: text of 1 to 60 characters or null."],
    [
      "config.yaml:16:9",
      "github",
      "github is 5; allowed: a mapping of repository, apiUrl, tokenVariable, webhookSecretVariable, authors, labellers.",
    ],
    ["config.yaml:18:18", "resources.maxCpuPercent", "resources.maxCpuPercent is 101; allowed: a number from 1 to 100."],
  ];

  test("all problems of a file come at once, each with its place, what was found and what is allowed", () => {
    expect(issuesOf(() => load(wrong))).toEqual(issues);
  });

  test("the message is a list for a terminal", () => {
    expect(() => load("daemon: { port: 99999 }\nx: 1\n")).toThrow(
      `The configuration has 2 problems:\n  ${globalFile}:1:17: daemon.port is 99999; allowed: a whole number from 0 to 65535.\n  ${globalFile}:2:1: x is not a setting.`,
    );
  });

  test("a wrong value is told although a later layer overrides it, and so is the later layer's own", () => {
    const env = { DROVER_DAEMON_PORT: "4000", DROVER_DAEMON_MAXPROCESSES: "many" };
    expect(issuesOf(() => load("daemon: { port: banana }\n", env, { "daemon.tickMs": 1, "daemon.ports": 1 }))).toEqual([
      ["config.yaml:1:17", "daemon.port", 'daemon.port is "banana"; allowed: a whole number from 0 to 65535.'],
      ["DROVER_DAEMON_MAXPROCESSES", "daemon.maxProcesses", 'daemon.maxProcesses is "many"; allowed: a whole number from 1 to 1000.'],
      ["", "daemon.tickMs", "daemon.tickMs is 1; allowed: a whole number from 100 to 604800000."],
      ["", "daemon.ports", "daemon.ports is not a setting. Did you mean daemon.port?"],
    ]);
  });

  test("what a file says is made safe for a terminal and cut short", () => {
    const [[, , message] = []] = issuesOf(() => load(`daemon:\n  port: "\\e[31m${"x".repeat(500)}"\n`));
    expect(message).toBe(`daemon.port is "\\u001b[31m${"x".repeat(48)}…; allowed: a whole number from 0 to 65535.`);
  });

  test.each([
    [
      "daemon: { host: 0.0.0.0 }\n",
      "config.yaml:1:17",
      'daemon.host is "0.0.0.0", which other machines can reach. Set daemon.allowRemote to true if that is meant.',
    ],
    [
      "agents:\n  mine: { driver: command }\n",
      "config.yaml:2:9",
      'agents.mine.command is empty; the driver "command" needs the program to run.',
    ],
    [
      "defaults: { agent: gpt }\n",
      "config.yaml:1:20",
      'defaults.agent is "gpt"; allowed: one of agents, which are claude, codex, gemini, opencode, builtin.',
    ],
    [
      "alerts: { channels: { team: { kind: slack } } }\n",
      "config.yaml:1:29",
      "alerts.channels.team.urlVariable is missing; a channel of kind slack needs it.",
    ],
    [
      "alerts: { channels: { me: { kind: telegram, tokenVariable: BOT } } }\n",
      "config.yaml:1:27",
      "alerts.channels.me.chatId is missing; a channel of kind telegram needs it.",
    ],
    [
      "providers: { local: { kind: openai-compatible } }\n",
      "config.yaml:1:21",
      'providers.local.baseUrl is missing; a provider of kind "openai-compatible" needs it.',
    ],
    [
      "providers:\n  own: { kind: package }\n",
      "config.yaml:2:8",
      'providers.own.package is missing; a provider of kind "package" needs it.',
    ],
    [
      "models: { small: local/qwen }\n",
      "config.yaml:1:18",
      'models.small is "local/qwen"; there is no provider local, but anthropic, openai, google.',
    ],
  ])("settings that do not fit each other: %j", (text, place, message) => {
    expect(issuesOf(() => load(text)).map(([at, , why]) => [at, why])).toEqual([[place, message]]);
  });

  test("settings of several layers that fit each other only together are right", () => {
    const { config } = load(
      "daemon: { host: 0.0.0.0 }\n",
      { DROVER_DAEMON_ALLOWREMOTE: "true", DROVER_AGENTS: "{ mine: { driver: claude } }" },
      { "defaults.agent": "mine" },
    );
    expect([config.daemon.host, config.daemon.allowRemote, config.defaults.agent]).toEqual(["0.0.0.0", true, "mine"]);
  });

  test.each([
    ["defaults: { branchPrefix: -x/ }\n"],
    ["defaults: { baseBranch: a..b }\n"],
    ["github: { repository: ../.. }\n"],
    ["workspace: { copy: [../secret] }\n"],
    ["workspace: { copy: [/etc/passwd] }\n"],
    ["workspace: { copy: [a/../../b] }\n"],
  ])("a value that could lead elsewhere is refused: %j", (text) => {
    expect(issuesOf(() => load(text))).toHaveLength(1);
  });
});

describe("variables in texts", () => {
  test("they are put in as text, whatever they hold, and once", () => {
    const env = { A: "x: [1, 2] # no comment", B: "null", C: "${A}", PORT: "4000", ON: "true" };
    const text =
      'daemon: { port: "${PORT}", allowRemote: "${ON}", host: "h-${B}" }\nprompts: { instructions: "${A}|${B}|${C}|$${A}|${lower}|$A" }\ndefaults: { language: "${B}" }\n';
    const { config } = load(text, env);
    expect(config.prompts.instructions).toBe("x: [1, 2] # no comment|null|${A}|${A}|${lower}|$A");
    expect([config.daemon.port, config.daemon.allowRemote, config.daemon.host, config.defaults.language]).toEqual([
      4000,
      true,
      "h-null",
      "null",
    ]);
  });

  test("they cannot make a list or a mapping of a text", () => {
    const message = 'daemon.allowedOrigins is "${LIST}"; allowed: a list, each a URL.';
    expect(issuesOf(() => load("daemon: { allowedOrigins: '${LIST}' }\n", { LIST: "[http://x.example]" }))).toEqual([
      ["config.yaml:1:27", "daemon.allowedOrigins", message],
    ]);
  });

  test("those that are not set are told, all of them", () => {
    const text = "checks:\n  - { name: test, command: '${ONE} ${TWO}' }\nprompts:\n  instructions: ${TWO}\n";
    expect(issuesOf(() => load(text))).toEqual([
      ["config.yaml:2:28", "checks[0].command", "checks[0].command uses ${ONE}, which is not set in the environment."],
      ["config.yaml:2:28", "checks[0].command", "checks[0].command uses ${TWO}, which is not set in the environment."],
      ["config.yaml:4:17", "prompts.instructions", "prompts.instructions uses ${TWO}, which is not set in the environment."],
    ]);
  });

  test("a project's file reads only those that the home's file lets it", () => {
    const env = { SECRET: "s3cret", TEAM: "blue" };
    const global = load("daemon: { projectVariables: [TEAM] }\n", env);
    expect(loadProject(global, "prompts: { instructions: '${TEAM} $${SECRET}' }\n").config.prompts.instructions).toBe("blue ${SECRET}");
    expect(issuesOf(() => loadProject(global, "prompts: { instructions: '${SECRET}' }\n"))).toEqual([
      [
        "project.yaml:1:26",
        "prompts.instructions",
        "prompts.instructions uses ${SECRET}, which a project's file may not read. Name it in daemon.projectVariables of the home's file, or write $${SECRET} to leave it to the shell.",
      ],
    ]);
  });
});

describe("a project's file", () => {
  test("it can tighten a limit and not loosen it", () => {
    const loaded = loadProject(
      load("defaults: { timeout: 500000 }\n"),
      "defaults:\n  timeout: 900000\n  retryAttempts: 1\n  maxProcesses: 5\n  runTimeoutMs: 999999999\n".replace("999999999", "3600001"),
    );
    const { timeout, retryAttempts, maxProcesses, runTimeoutMs } = loaded.config.defaults;
    expect({ timeout, retryAttempts, maxProcesses, runTimeoutMs }).toEqual({
      timeout: 500_000,
      retryAttempts: 1,
      maxProcesses: 5,
      runTimeoutMs: 3_600_000,
    });
    expect(originOf(loaded, "defaults.timeout")).toEqual([500_000, "global file", "config.yaml"]);
    expect(loaded.warnings).toEqual([
      `${projectFile}:2:3: defaults.timeout is 900000, above the limit of 500000, which stays.`,
      `${projectFile}:5:3: defaults.runTimeoutMs is 3600001, above the limit of 3600000, which stays.`,
    ]);
  });

  test("a setting within a setting has its own origin, also from the environment", () => {
    const loaded = loadProject(
      load("defaults: { budget: { taskUsd: 2, dayUsd: 5 } }\n"),
      "defaults: { budget: { taskUsd: 1, dayUsd: null } }\n",
    );
    expect(loaded.config.defaults.budget).toEqual({ taskUsd: 1, taskTokens: null, dayUsd: 5 });
    expect(loaded.warnings).toEqual([`${projectFile}:1:35: defaults.budget.dayUsd is null, above the limit of 5, which stays.`]);
    const fromVariable = loadConfig({ globalFile: join(folder, "none.yaml"), env: { DROVER_DAEMON_BUDGET_DAYUSD: "3" } });
    expect(fromVariable.config.daemon.budget).toEqual({ dayUsd: 3 });
    expect(fromVariable.settings().find(({ key }) => key === "daemon.budget.dayUsd")).toMatchObject({
      origin: "environment",
      place: "DROVER_DAEMON_BUDGET_DAYUSD",
    });
  });

  test("every limit is held, by whatever the two files say", () => {
    const limits = settingSchemas.filter(({ node }) => node.tighten === "min");
    expect(limits.map(({ key }) => key)).toEqual([
      "defaults.timeout",
      "defaults.repeatedActions",
      "defaults.runTimeoutMs",
      "defaults.graceMs",
      "defaults.retryAttempts",
      "defaults.maxProcesses",
      "defaults.tddProcesses",
      "defaults.memoryMB",
      "defaults.cpuPercent",
      "defaults.processesMax",
      "defaults.budget.taskUsd",
      "defaults.budget.taskTokens",
      "defaults.budget.dayUsd",
    ]);
    for (const { key, path, node } of limits) {
      const { minimum: low = 0, maximum = Infinity } = node.anyOf?.find(({ type }) => type !== "null") ?? node;
      // Null is no limit.
      const high = node.anyOf ? null : maximum;
      const file = (value: number | null) => `${JSON.stringify(treeOf(path, value))}\n`;
      expect(originOf(loadProject(load(file(low)), file(high)), key)[0]).toBe(low);
      expect(originOf(loadProject(load(file(high)), file(low)), key)[0]).toBe(low);
    }
  });

  test("it cannot leave a confinement, only choose another one", () => {
    const isolationOf = (home: string, own: string) => {
      const { config, warnings } = loadProject(load(`defaults: { isolation: ${home} }\n`), `defaults: { isolation: ${own} }\n`);
      return [config.defaults.isolation, ...warnings];
    };
    expect(isolationOf("process", "sandbox")).toEqual(["sandbox"]);
    expect(isolationOf("tmux", "process")).toEqual(["process"]);
    expect(isolationOf("sandbox", "docker")).toEqual(["docker"]);
    expect(isolationOf("docker", "tmux")).toEqual([
      "docker",
      `${projectFile}:1:13: defaults.isolation is "tmux", which confines less than "docker", which stays.`,
    ]);
  });

  test("settings of the whole daemon are warned of and have no effect, not even wrong ones", () => {
    const loaded = loadProject(
      load(undefined),
      "version: 1\ndaemon:\n  maxProcesses: 99\n  nonsense: {}\nresources: 7\nagents: { claude: { permissions: all } }\ngithub: { apiUrl: https://evil.example, repository: a/b }\n",
    );
    expect(loaded.warnings).toEqual(
      ["3:3: daemon.maxProcesses", "4:3: daemon.nonsense", "5:1: resources", "6:11: agents.claude", "7:11: github.apiUrl"].map(
        (what) => `${projectFile}:${what} is a setting of the whole daemon and has no effect in a project's file.`,
      ),
    );
    expect(loaded.config.github).toEqual({ ...Config.parse({}).github, repository: "a/b" });
    expect(
      loaded
        .settings()
        .filter(({ origin }) => origin === "project file")
        .map(({ key }) => key),
    ).toEqual(["github.repository"]);
  });

  test("a missing one leaves everything as the home's file has it", () => {
    const global = load("intake: { labels: [bot] }\n");
    const loaded = loadProjectConfig(global, join(folder, "none.yaml"));
    expect(loaded.config.intake.labels).toEqual(["bot"]);
    expect(loaded.settings()).toEqual(global.settings());
  });

  test("it can say which agent, model and effort a stage has, but not its arguments and variables", () => {
    const global = load("defaults: { stages: { plan: { args: [--home], env: [HOME_KEY] }, implement: { model: opus } } }\n");
    const written = `defaults:
  stages:
    plan: { agent: codex, effort: high, args: [--evil] }
    implement: { env: [AWS_SECRET_ACCESS_KEY] }
`;
    const { config, warnings } = loadProject(global, written);
    expect(config.defaults.stages).toEqual({
      plan: { agent: "codex", effort: "high", args: ["--home"], env: ["HOME_KEY"] },
      implement: { model: "opus" },
    });
    expect(warnings).toEqual(
      ["3:41: defaults.stages.plan.args", "4:18: defaults.stages.implement.env"].map(
        (what) => `${projectFile}:${what} is a setting of the whole daemon and has no effect in a project's file.`,
      ),
    );
  });

  test("it can name no agent for a stage that the home's file has not", () => {
    expect(issuesOf(() => loadProject(load(""), "defaults: { stages: { plan: { agent: yours } } }\n"))).toEqual([
      [
        "project.yaml:1:38",
        "defaults.stages.plan.agent",
        'defaults.stages.plan.agent is "yours"; allowed: one of agents, which are claude, codex, gemini, opencode, builtin.',
      ],
    ]);
  });

  test("it can choose among the agents of the home's file, and no others", () => {
    const global = load("agents: { mine: { driver: claude } }\n");
    expect(loadProject(global, "defaults: { agent: mine }\n").config.defaults.agent).toBe("mine");
    expect(issuesOf(() => loadProject(global, "defaults: { agent: yours }\n"))).toEqual([
      [
        "project.yaml:1:20",
        "defaults.agent",
        'defaults.agent is "yours"; allowed: one of agents, which are claude, codex, gemini, opencode, builtin, mine.',
      ],
    ]);
  });
});

describe("the format", () => {
  test("a file of a newer format is refused with what to do", () => {
    expect(issuesOf(() => load("version: 2\nnew: {}\n"))).toEqual([
      [
        "config.yaml:1:10",
        "version",
        "This file is of format 2, written by a newer Drover; this one knows formats up to 1. Update Drover, or take an older copy of the file.",
      ],
    ]);
  });

  test.each(['"one"', "-1", "1.5", "[1]", "null"])("a version that is none is refused: %s", (version) => {
    expect(issuesOf(() => load(`version: ${version}\n`))).toEqual([["config.yaml:1:10", "version", `version is ${version}; allowed: 1.`]]);
  });

  test("a file of the older format, without its version, is read as it is", () => {
    expect(load("daemon: { maxProcesses: 7 }\n").config.daemon.maxProcesses).toBe(7);
    expect(issuesOf(() => load("daemon: { maxProcesses: 0 }\n"))).toEqual([
      ["config.yaml:1:25", "daemon.maxProcesses", "daemon.maxProcesses is 0; allowed: a whole number from 1 to 1000."],
    ]);
  });
});
