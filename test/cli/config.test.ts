import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { place } from "./running.ts";

test("init writes the home's file, which is valid; a second one is refused", async () => {
  await using at = place();
  const file = join(at.home, "config.yaml");
  expect(await at.run(["config", "init"])).toEqual({
    code: 0,
    out: `Made ${file} with every setting at its default, explained.\n`,
    err: "",
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await at.run(["config", "validate"])).toEqual({ code: 0, out: `${file} is valid.\n`, err: "" });
  expect((await at.run(["config", "init"])).code).toBe(4);
});

test("a wrong key or value is refused, and the file stays as it was", async () => {
  await using at = place();
  const file = join(at.home, "config.yaml");
  await at.run(["config", "set", "daemon.maxProcesses", "4"]);
  const before = readFileSync(file, "utf8");
  for (const [key, value, says] of [
    ["daemon.maxProcesses", "banana", "daemon.maxProcesses"],
    ["daemon.maxProceses", "4", "Did you mean daemon.maxProcesses"],
  ] as const) {
    const ran = await at.run(["config", "set", key, value]);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain(says);
    expect(readFileSync(file, "utf8")).toBe(before);
  }
});

test("show names each setting in force and where it comes from; set, reset and rollback change it", async () => {
  await using at = place();
  const file = join(at.home, "config.yaml");
  const shown = async (env: Record<string, string> = {}) =>
    JSON.parse((await at.run(["config", "show", "daemon.maxProcesses", "--json"], { env })).out) as unknown;
  const setting = (value: number, origin: string, from: string | null) => ({
    settings: [{ key: "daemon.maxProcesses", value, origin, place: from }],
  });
  expect(await shown()).toEqual(setting(2, "default", null));
  await at.run(["config", "set", "daemon.maxProcesses", "4"]);
  await at.run(["config", "set", "daemon.maxProcesses", "5"]);
  expect(await shown()).toEqual(setting(5, "global file", file));
  expect(await shown({ DROVER_DAEMON_MAXPROCESSES: "6" })).toEqual(setting(6, "environment", "DROVER_DAEMON_MAXPROCESSES"));
  expect((await at.run(["config", "rollback"])).code).toBe(0);
  expect(await shown()).toEqual(setting(4, "global file", file));
  expect((await at.run(["config", "reset", "daemon.maxProcesses"])).code).toBe(0);
  expect(await shown()).toEqual(setting(2, "default", null));
  expect((await at.run(["config", "show", "daemon", "--origin"])).out).toMatch(/^SETTING +FROM +VALUE\ndaemon.maxProcesses +default +2\n/);
  expect(await at.run(["config", "show", "nope"])).toMatchObject({ code: 3 });
});

test("upgrade brings a file of an older format to the present one, keeps it beside, and does so once", async () => {
  await using at = place();
  execFileSync("git", ["init", "--quiet", at.folder]);
  mkdirSync(join(at.folder, ".drover"));
  for (const [file, ...local] of [[join(at.home, "config.yaml")], [join(at.folder, ".drover", "config.yaml"), "--local"]] as [
    string,
    ...string[],
  ][]) {
    const old = "# mine\ndefaults:\n  retryAttempts: 2\n";
    writeFileSync(file, old);
    const out = `${file} has the present format; what it was is in ${file}.bak.\n`;
    expect(await at.run(["config", "upgrade", ...local])).toEqual({ code: 0, out, err: "" });
    expect([readFileSync(file, "utf8"), readFileSync(`${file}.bak`, "utf8")]).toEqual([`version: 1\n${old}`, old]);
    const nothing = { code: 0, out: `${file} needs no upgrade; nothing was changed.\n`, err: "" };
    expect(await at.run(["config", "upgrade", ...local])).toEqual(nothing);
  }
});

test("a setting that a running daemon does not read anew says so", async () => {
  await using at = place();
  const hint = (key: string) => `! ${key} takes effect when the daemon starts: drover daemon restart\n`;
  expect((await at.run(["config", "set", "daemon.port", "4000"])).err).toBe(hint("daemon.port"));
  expect((await at.run(["config", "reset", "logging"])).err).toBe(hint("logging"));
  expect((await at.run(["config", "set", "daemon.maxProcesses", "4"])).err).toBe("");
});

test("reset of everything asks; what was there stays beside", async () => {
  await using at = place();
  await at.run(["config", "set", "daemon.port", "4000"]);
  const before = readFileSync(join(at.home, "config.yaml"), "utf8");
  expect(await at.run(["config", "reset"])).toMatchObject({ code: 2 });
  expect(readFileSync(join(at.home, "config.yaml"), "utf8")).toBe(before);
  expect(await at.run(["config", "reset", "--yes"])).toMatchObject({ code: 0 });
  expect(readFileSync(join(at.home, "config.yaml.bak"), "utf8")).toBe(before);
});

test("validate names each problem with its line", async () => {
  await using at = place();
  const file = join(at.folder, "wrong.yaml");
  writeFileSync(file, "version: 1\ndaemon:\n  port: banana\n  hots: x\n");
  const { code, err } = await at.run(["config", "validate", "wrong.yaml"]);
  expect(code).toBe(2);
  expect(err).toContain(`${file}:3:9: `);
  expect(err).toContain(`${file}:4:3: `);
});

test("the schema is one that an editor takes", async () => {
  await using at = place();
  const schema = JSON.parse((await at.run(["config", "schema"])).out) as {
    properties: { daemon: { properties: { maxProcesses: unknown } } };
  };
  expect(schema.properties.daemon.properties.maxProcesses).toMatchObject({ type: "integer", default: 2 });
});

test("init sets up the repository that a folder lies in, and --local edits its file", async () => {
  await using at = place();
  expect((await at.run(["init"])).err).toContain("is in no git repository");
  execFileSync("git", ["init", "--quiet"], { cwd: at.folder });
  const file = join(at.folder, ".drover", "config.yaml");
  expect(JSON.parse((await at.run(["init", "--json"])).out)).toEqual({
    file,
    setup: null,
    checks: [],
    detected: { parts: [], question: expect.stringMatching(/^In which language is this/) },
    begun: [],
  });
  expect((await at.run(["init"])).code).toBe(4);
  expect(await at.run(["config", "set", "--local", "defaults.retryAttempts", "2"])).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse((await at.run(["config", "show", "--local", "defaults.retryAttempts", "--json"])).out)).toEqual({
    settings: [{ key: "defaults.retryAttempts", value: 2, origin: "project file", place: file }],
  });
  expect(await at.run(["config", "set", "--local", "daemon.port", "1"])).toMatchObject({ code: 2 });
  expect(existsSync(join(at.home, "config.yaml"))).toBe(false);
});
