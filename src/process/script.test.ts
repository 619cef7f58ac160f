import { expect, test } from "vitest";
import { commandScript, type ScriptOptions } from "./script.ts";

const options: ScriptOptions = { argv: ["agent", "-p"], cwd: "/work space", env: {}, prologue: "/opt/identify.sh" };

test("the script exports what sh can, hands the rest to env, and becomes the command", () => {
  const env = { TOKEN: "it's secret", IFS: "x", "npm.odd": "1" };
  expect(commandScript({ ...options, env })).toBe(
    [
      ". '/opt/identify.sh'",
      "cd -- '/work space' || exit 126",
      "unset PATH PWD OLDPWD SHLVL",
      "export TOKEN='it'\\''s secret'",
      "exec /usr/bin/env -- 'IFS=x' 'npm.odd=1' 'agent' '-p'",
      "",
    ].join("\n"),
  );
});

test.each([
  { ...options, argv: ["agent", "a\0b"] as const },
  { ...options, cwd: "/a\0b" },
  { ...options, env: { "a\0": "" } },
  { ...options, env: { "a=b": "" } },
  { ...options, env: { "": "" } },
  { ...options, argv: ["a=b"] as const },
])("what no process can be given is refused: %j", (impossible) => {
  expect(() => commandScript(impossible)).toThrow(expect.objectContaining({ code: "invalid" }));
});
