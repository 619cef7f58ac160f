import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HeldCommand } from "../../src/process/host.ts";
import { collect } from "../support/collect.ts";
import { openRealHost, type RealHostFixture } from "../support/host-fixture.ts";

const { signal } = new AbortController();

let fixture: RealHostFixture;
beforeEach(async () => {
  fixture = await openRealHost();
});
afterEach(() => fixture[Symbol.asyncDispose]());

async function outputOf(command: HeldCommand): Promise<string[]> {
  await fixture.host.start(command);
  const lines = await collect(fixture.host.readLines(command.directory, { from: 0, follow: true, signal }));
  expect(await fixture.host.readErrors(command.directory, 4_000)).toBe("");
  return lines.map(({ text }) => text);
}

const KNOWN = [
  "'",
  "\\",
  '"',
  "`id`",
  "$(id)",
  "${HOME}",
  "a\nb",
  "\r",
  "\t",
  "　",
  "漢'字",
  "🐑",
  "*",
  "~",
  "-",
  "--",
  "!",
  "#",
  ";&|<>()",
  "\u0081\u0088",
  "",
  " ",
];
const hostile = fc.oneof(fc.constantFrom(...KNOWN), fc.string({ unit: "binary", maxLength: 40 })).map((text) => text.replaceAll("\0", "0"));
// Those a shell has its own mind about, beside ordinary and impossible ones.
const name = fc
  .oneof(fc.constantFrom("IFS", "PWD", "OPTIND", "PS1", "UID", "BASH_ENV", "SHLVL", "a.b", "npm_config_//x", "-x", "日本"), hostile)
  .map((text) => text.replaceAll("=", "_") || "EMPTY");
const ownNames = new Set(["PATH", "DROVER_RUN", "DROVER_SCOPE", "NODE_OPTIONS", "LD_PRELOAD", "ENV", "NODE_V8_COVERAGE"]);

test("arguments, environment and stdin reach a command as they are, and nothing else does", async () => {
  const argument = fc.array(hostile, { minLength: 20, maxLength: 60 });
  const environment = fc.dictionary(name, hostile, { minKeys: 5, maxKeys: 40, noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(argument, environment, async (args, env) => {
      for (const own of ownNames) delete env[own];
      const command = fixture.command("tells-what-it-got.ts", ...args);
      const [line = ""] = await outputOf({ ...command, env: { ...command.env, ...env } });
      const { env: found, ...rest } = JSON.parse(line) as { env: string[] };
      const files = ["in", "out", "err"].map((file) => join(command.directory, file));
      expect(rest).toEqual({ argv: args, cwd: fixture.folder, open: files });
      const given = Object.entries({ ...command.env, ...env, DROVER_RUN: command.marker }).map(([name, value]) => `${name}=${value}`);
      const isScope = (variable: string) => /^DROVER_SCOPE=[0-9a-f]{16}$/u.test(variable);
      expect(found.filter(isScope)).toHaveLength(1);
      expect(new Set(found.filter((variable) => !isScope(variable)))).toEqual(new Set(given));
      expect(found).toHaveLength(given.length + 1);
    }),
    { numRuns: 10 },
  );
});

test("folders may have any name but one with a line break", async () => {
  const names = ["it's", 'a "b"', "$HOME", "漢 字", "trailing ", " leading", "back\\slash", "-n", "#x", "ü\u0081"];
  for (const name of names) {
    const command = fixture.command("tells-what-it-got.ts");
    const folder = join(fixture.folder, name);
    const [line = ""] = await outputOf({ ...command, directory: join(folder, "run"), files: { [join(folder, "there")]: "" }, cwd: folder });
    expect(JSON.parse(line)).toMatchObject({ cwd: folder });
  }
  const command = fixture.command("waits.sh");
  await expect(fixture.host.start({ ...command, directory: join(fixture.folder, "a\nb") })).rejects.toMatchObject({ code: "invalid" });
});

test("a command ignores no signal, and leaves no core file", async () => {
  const command = fixture.command("waits.sh");
  const [signals, core] = await outputOf({
    ...command,
    argv: ["/bin/sh", "-c", "grep SigIgn /proc/self/status; ulimit -c"],
  });
  expect([signals, core]).toEqual(["SigIgn:\t0000000000000000", "0"]);
});

test("what can't be run ends with a shell's code and says why on stderr", async () => {
  const missing = { ...fixture.command("waits.sh"), argv: ["no-such-program"] as const };
  await fixture.host.start(missing);
  expect(await fixture.host.waitForEnd(missing.directory, signal)).toEqual({ state: "exited", exitCode: 127, signal: null });
  expect(await fixture.host.readErrors(missing.directory, 1_000)).toContain("no-such-program: not found");

  const nowhere = { ...fixture.command("waits.sh"), cwd: join(fixture.folder, "nowhere") };
  await fixture.host.start(nowhere);
  expect(await fixture.host.waitForEnd(nowhere.directory, signal)).toEqual({ state: "exited", exitCode: 126, signal: null });
});
