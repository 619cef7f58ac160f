import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Config } from "../contract/config.ts";
import { type EditScope, initConfig, resetConfig, rollbackConfig, setConfig, upgradeConfig } from "./edit.ts";
import { listVersions } from "./history.ts";
import { loadConfig } from "./load.ts";

const globally: EditScope = { scope: "global", env: {} };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-edit-"));
  file = join(folder, "config.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

const text = () => readFileSync(file, "utf8");
const config = () => loadConfig({ globalFile: file, env: {} }).config;
const modeOf = (path: string) => statSync(path).mode & 0o777;

describe("initConfig", () => {
  test("it writes every setting at its default, each with what it means, for its owner only", () => {
    initConfig(file);
    expect(config()).toEqual(Config.parse({}));
    const settings = loadConfig({ globalFile: file, env: {} }).settings();
    expect(settings.filter(({ origin }) => origin !== "global file")).toEqual([]);
    expect(text()).toContain(
      "  # agent processes at once, over all projects; runs that share a program count against `builtin.maxRunning` instead (from 1 to 1000)\n  maxProcesses: 2\n",
    );
    expect(modeOf(file)).toBe(0o600);
  });

  test("it leaves a file that is there as it is", () => {
    writeFileSync(file, "version: 1\n");
    expect(() => initConfig(file)).toThrow("exists already and is left as it is");
    expect(text()).toBe("version: 1\n");
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });

  test("it makes the folder, for its owner only", () => {
    const nested = join(folder, "a", "b", "config.yaml");
    initConfig(nested);
    expect([modeOf(join(folder, "a")), modeOf(join(folder, "a", "b")), modeOf(nested)]).toEqual([0o700, 0o700, 0o600]);
  });
});

describe("setConfig", () => {
  const commented = `# mine

version: 1
daemon: # the daemon
  # not too many
  maxProcesses: 0x3 # three

  port: 4000
resources:
  # maxMemoryMB: 1
logging: { level: info } # short
# the end
`;

  test("comments, blank lines and the order of keys stay", () => {
    writeFileSync(file, commented, { mode: 0o644 });
    setConfig(file, "daemon.maxProcesses", "5", globally);
    setConfig(file, "resources.maxMemoryMB", "512", globally);
    setConfig(file, "logging.level", "debug", globally);
    setConfig(file, "intake.labels", "[bot, ai]", globally);
    expect(text()).toBe(`# mine

version: 1
daemon:
  # the daemon
  # not too many
  maxProcesses: 5 # three

  port: 4000
resources:
  maxMemoryMB: 512
  # maxMemoryMB: 1
logging: { level: debug } # short
intake:
  labels:
    - bot
    - ai

# the end
`);
    expect(modeOf(file)).toBe(0o600);
  });

  test("a file is made when there is none", () => {
    setConfig(file, "daemon.maxProcesses", "4", globally);
    expect(text()).toBe("version: 1\ndaemon:\n  maxProcesses: 4\n");
  });

  test("a new agent is set as a whole, for neither its driver nor its command alone is valid", () => {
    writeFileSync(file, commented);
    setConfig(file, "agents.mine", "{ driver: command, command: [node, my-agent.mjs] }", globally);
    const { agents } = loadConfig({ globalFile: file, env: {} }).config;
    expect(agents["mine"]).toMatchObject({ driver: "command", command: ["node", "my-agent.mjs"], permissions: "edit" });
    expect(() => setConfig(file, "agents.other", "{ driver: command }", globally)).toThrow('the driver "command" needs the program to run');
  });

  test.each([
    [
      "daemon.maxProcesses",
      "banana",
      `The configuration is not valid:\n  daemon.maxProcesses is "banana"; allowed: a whole number from 1 to 1000.`,
    ],
    ["daemon.maxProcesses", "[1", "daemon.maxProcesses:1:3: This is not valid YAML. Flow sequence must end with a ]."],
    ["daemon.maxProces", "4", "daemon.maxProces is not a setting. Did you mean daemon.maxProcesses?"],
    [
      "maxProcesses",
      "4",
      "maxProcesses is not a setting. Did you mean daemon.maxProcesses or defaults.maxProcesses or defaults.tddProcesses?",
    ],
    ["version", "2", "version is not a setting."],
    [
      "resources",
      "{}",
      "resources holds several settings: set resources.maxMemoryMB, resources.maxCpuPercent, resources.agentMemoryMB, resources.agentCpuPercent, resources.agentProcessesMax.",
    ],
    ["agents", "{}", "agents holds several settings: set agents.<name>.<setting>."],
    ["agents.mine.model", "opus", "agents.mine.driver is missing; it must be text that is not empty."],
    ["agents.__proto__.driver", "claude", "__proto__ cannot be the name of a setting."],
    ["defaults.agent", "gpt", 'defaults.agent is "gpt"; allowed: one of agents, which are claude, codex, gemini, opencode, builtin.'],
    ["prompts.instructions", "${UNSET}", "prompts.instructions uses ${UNSET}, which is not set in the environment."],
  ])("a wrong key or value leaves the file byte for byte as it was: %s %s", (key, value, message) => {
    writeFileSync(file, commented);
    const before = statSync(file);
    expect(() => setConfig(file, key, value, globally)).toThrow(message);
    expect(text()).toBe(commented);
    expect([statSync(file).mtimeMs, statSync(file).ino]).toEqual([before.mtimeMs, before.ino]);
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });

  test("a file that is wrong elsewhere is left alone until what is wrong is set right", () => {
    writeFileSync(file, "version: 1\ndaemon: { port: banana }\n");
    expect(() => setConfig(file, "daemon.maxProcesses", "4", globally)).toThrow("daemon.port is");
    setConfig(file, "daemon.port", "4000", globally);
    expect(config().daemon.port).toBe(4000);
  });

  test("text stays text, whatever it looks like, and null is null only where null is allowed", () => {
    for (const value of ["yes: [no", "12", "null", "# x", "two\nlines"]) {
      setConfig(file, "prompts.instructions", value, globally);
      expect(config().prompts.instructions).toBe(value);
    }
    setConfig(file, "defaults.language", "12", globally);
    expect(config().defaults.language).toBe("12");
    setConfig(file, "defaults.language", "null", globally);
    expect(config().defaults.language).toBe(null);
  });

  test("a change changes that setting and no other, and no comment is lost", () => {
    const change = fc.constantFrom<[string, string, unknown]>(
      ["daemon.port", "4001", 4001],
      ["daemon.allowedOrigins", "[http://a.example]", ["http://a.example"]],
      ["daemon.schedulingStrategy", "deadline", "deadline"],
      ["resources.maxCpuPercent", "12.5", 12.5],
      ["agents.claude.model", "opus", "opus"],
      ["defaults.language", "Français: oui", "Français: oui"],
      ["prompts.instructions", "- a\n- b # c\n", "- a\n- b # c\n"],
      ["workspace.setup", "npm ci && echo '\"x\"'", "npm ci && echo '\"x\"'"],
      ["checks", "[{ name: t, command: 'a: b' }]", [{ name: "t", command: "a: b", timeoutMs: 600_000 }]],
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        rmSync(file, { force: true });
        initConfig(file);
        const comments = text().match(/^ *#.*$/gm);
        const expected = new Map(
          loadConfig({ globalFile: file, env: {} })
            .settings()
            .map(({ key, value }) => [key, value]),
        );
        for (const [key, value, meant] of changes) {
          setConfig(file, key, value, globally);
          expected.set(key, meant);
        }
        expect(
          new Map(
            loadConfig({ globalFile: file, env: {} })
              .settings()
              .map(({ key, value }) => [key, value]),
          ),
        ).toEqual(expected);
        expect(text().match(/^ *#.*$/gm)).toEqual(comments);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a project's file", () => {
  const inProject = (): EditScope => ({ scope: "project", global: loadConfig({ globalFile: join(folder, "home.yaml"), env: {} }) });

  test("its own settings can be set, with a warning where a limit would be loosened", () => {
    expect(setConfig(file, "intake.labels", "[bot]", inProject())).toEqual([]);
    expect(setConfig(file, "defaults.retryAttempts", "9", inProject())).toEqual([
      `${file}:6:3: defaults.retryAttempts is 9, above the limit of 3, which stays.`,
    ]);
    expect(text()).toBe("version: 1\nintake:\n  labels:\n    - bot\ndefaults:\n  retryAttempts: 9\n");
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });

  test.each(["daemon.maxProcesses", "agents.claude.model", "github.apiUrl"])("%s is refused", (key) => {
    expect(() => setConfig(file, key, "1", inProject())).toThrow(
      `${key} is a setting of the whole daemon and has no effect in a project's file.`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("it is not reset as a whole", () => {
    expect(() => resetConfig(file, undefined, inProject())).toThrow("Name the setting to reset");
  });
});

describe("resetConfig", () => {
  test("a setting or a section is taken out, and an emptied section with it", () => {
    writeFileSync(
      file,
      "version: 1\n# limits\nresources:\n  maxMemoryMB: 512\ndaemon:\n  maxProcesses: 3 # three\n  # here\n  port: 4000\nlogging:\n  level: debug\n  maxFiles: 2\n",
    );
    resetConfig(file, "daemon.port", globally);
    resetConfig(file, "resources.maxMemoryMB", globally);
    resetConfig(file, "logging", globally);
    resetConfig(file, "defaults.timeout", globally);
    expect(text()).toBe("version: 1\ndaemon:\n  maxProcesses: 3 # three\n");
    expect(() => resetConfig(file, "daemon.prot", globally)).toThrow("daemon.prot is not a setting. Did you mean daemon.port?");
  });

  test("without a key everything is at its default again, even when the file was broken, and the old file is kept", () => {
    writeFileSync(file, "daemon: [broken");
    resetConfig(file, undefined, globally);
    expect(config()).toEqual(Config.parse({}));
    expect(readFileSync(`${file}.bak`, "utf8")).toBe("daemon: [broken");
  });
});

describe("an older format", () => {
  const old = "# old\ndaemon:\n  maxProcesses: 7\n";

  test("the first change brings the file up to date and keeps the old one beside it", () => {
    writeFileSync(file, old);
    setConfig(file, "daemon.port", "4000", globally);
    expect(readFileSync(`${file}.bak`, "utf8")).toBe(old);
    expect(modeOf(`${file}.bak`)).toBe(0o600);
    expect(text()).toBe("version: 1\n# old\ndaemon:\n  maxProcesses: 7\n  port: 4000\n");
    rmSync(`${file}.bak`);
    setConfig(file, "daemon.port", "4001", globally);
    expect(readdirSync(folder)).toEqual(["config-history", "config.yaml"]);
  });

  test("it can be brought up to date without any other change, once", () => {
    writeFileSync(file, old);
    expect([upgradeConfig(file, globally), upgradeConfig(file, globally)]).toEqual([true, false]);
    expect(readFileSync(`${file}.bak`, "utf8")).toBe(old);
    expect(text()).toBe("version: 1\n# old\ndaemon:\n  maxProcesses: 7\n");
    expect(upgradeConfig(join(folder, "none.yaml"), globally)).toBe(false);
  });

  test("a file of a newer format is left alone", () => {
    writeFileSync(file, "version: 2\n");
    for (const edit of [() => setConfig(file, "daemon.port", "1", globally), () => upgradeConfig(file, globally)]) {
      expect(edit).toThrow("written by a newer Drover");
    }
    expect(text()).toBe("version: 2\n");
  });
});

describe("versions", () => {
  const port = () => config().daemon.port;

  test("each accepted file gets the next number, the last ten are kept, the same text gets no new one", () => {
    for (let index = 0; index < 12; index++) setConfig(file, "daemon.port", String(4000 + index), globally);
    setConfig(file, "daemon.port", "4011", globally);
    expect(listVersions(file).map(({ version }) => version)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(readdirSync(join(folder, "config-history"))[0]).toBe("0003.yaml");
    expect(listVersions(file).map((kept) => modeOf(kept.file))).toEqual(Array.from({ length: 10 }, () => 0o600));
  });

  test("rollback goes back one version after the other, or to the one named, and keeps what was there", () => {
    for (const value of ["4001", "4002", "4003"]) setConfig(file, "daemon.port", value, globally);
    expect([rollbackConfig(file, {}), port()]).toEqual([2, 4002]);
    expect(readFileSync(`${file}.bak`, "utf8")).toContain("4003");
    expect([rollbackConfig(file, {}), port()]).toEqual([1, 4001]);
    expect(() => rollbackConfig(file, {})).toThrow("There is no earlier version");
    expect([rollbackConfig(file, {}, 3), port()]).toEqual([3, 4003]);
    expect(() => rollbackConfig(file, {}, 9)).toThrow("There is no version 9");
    expect(port()).toBe(4003);
  });

  test("from a file that was never accepted it goes to the one before the last that was", () => {
    for (const value of ["4001", "4002"]) setConfig(file, "daemon.port", value, globally);
    writeFileSync(file, "daemon: [broken");
    expect([rollbackConfig(file, {}), port()]).toEqual([1, 4001]);
    expect(readFileSync(`${file}.bak`, "utf8")).toBe("daemon: [broken");
  });
});
