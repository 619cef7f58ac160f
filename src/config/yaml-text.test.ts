import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { parseYaml, parseYamlValue } from "./yaml-text.ts";

/** Microseconds of processor time; the work of a square takes ten times this and more. */
const CPU_MAX_US = 3_000_000;

/** The problems of a text as `line:column message`. */
function problemsOf(text: string): string[] {
  try {
    parseYaml("config.yaml", text);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const { issues } = thrown.details as { issues: { line: number; column: number; message: string }[] };
    return issues.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
  return [];
}

describe("values and places", () => {
  test("a text gives its values, and the line and column of each value and name", () => {
    const yaml = parseYaml("config.yaml", "# top\ndaemon:\n  port: 1\nchecks:\n  - name: test\n    command: x\nempty:\n");
    expect(yaml.values()).toEqual({ daemon: { port: 1 }, checks: [{ name: "test", command: "x" }], empty: null });
    expect(yaml.locate(["daemon", "port"])).toEqual({ line: 3, column: 9 });
    expect(yaml.locateKey(["daemon", "port"])).toEqual({ line: 3, column: 3 });
    expect(yaml.locate(["checks", 0, "command"])).toEqual({ line: 6, column: 14 });
    expect(yaml.locate(["daemon", "missing", "deeper"])).toEqual({ line: 3, column: 3 });
    expect(yaml.locate([])).toEqual({ line: 2, column: 1 });
  });

  test.each(["", "# only a comment\n", "---\n", "null\n"])("nothing to set is an empty mapping: %j", (text) => {
    expect(parseYaml("config.yaml", text).values()).toEqual({});
  });

  test("only YAML 1.2 words are not text, whatever version the text claims", () => {
    const values = { a: "yes", b: "off", c: true, d: null, e: "1_000", f: 31, "<<": 2 };
    expect(parseYaml("x", "%YAML 1.1\n---\na: yes\nb: off\nc: true\nd: ~\ne: 1_000\nf: 0x1F\n<<: 2\n").values()).toEqual(values);
  });
});

describe("refusals", () => {
  test("broken syntax is told once a line, with its place", () => {
    expect(problemsOf("daemon:\n  port: [1,\nx: 2\n")).toEqual([
      "3:1 This is not valid YAML. Flow sequence in block collection must be sufficiently indented and end with a ].",
    ]);
    expect(problemsOf("a:\n\tb: 1\n")).toEqual(["2:1 This is not valid YAML. Tabs are not allowed as indentation."]);
  });

  test.each([
    ["a: 1\nb: 2\na: 3\n", ["3:1 a is given twice."]],
    ["a: { b: 1, b: 2 }\n", ["1:12 b is given twice."]],
    [
      "a: &x { y: 1 }\nb: *x\nc: *x\n",
      ["2:4 Aliases are not supported: write the value out.", "3:4 Aliases are not supported: write the value out."],
    ],
    ["a: &x { b: *x }\n", ["1:12 Aliases are not supported: write the value out."]],
    [
      "daemon:\n  __proto__: { port: 1 }\nconstructor: 1\n",
      ["2:3 __proto__ cannot be the name of a setting.", "3:1 constructor cannot be the name of a setting."],
    ],
    ["a: !!js/function x\n", ["1:4 This is not valid YAML. Unresolved tag: tag:yaml.org,2002:js/function."]],
    ["a: !!binary aGk=\n", ["1:4 This is not valid YAML. Unresolved tag: tag:yaml.org,2002:binary."]],
    ["- a\n", ["1:1 This must hold settings, such as `daemon: { port: 3003 }`."]],
    ["hello\n", ["1:1 This must hold settings, such as `daemon: { port: 3003 }`."]],
    ["a: 1\n---\nb: 1\n", ["2:1 This is not valid YAML. Source contains multiple documents; please use YAML.parseAllDocuments()."]],
    ["? [a]\n: b\n", ["1:3 This is not valid YAML. With stringKeys, all keys must be strings."]],
  ])("%j", (text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test("nesting deeper than any configuration", () => {
    const nested = (depth: number) => Array.from({ length: depth }, (_, level) => `${" ".repeat(level)}a:`).join("\n");
    expect(problemsOf(nested(16))).toEqual([]);
    expect(problemsOf(nested(17))).toEqual(["17:17 This is nested deeper than 16 levels."]);
  });

  const laughs = [
    "a: &a [lol]",
    ..."bcdefghij"
      .split("")
      .map((name, index) => `${name}: &${name} [${"*abcdefghij"[index + 1]?.padStart(2, "*").concat(",").repeat(9)}]`),
  ].join("\n");
  test.each([
    ["billion laughs", laughs],
    ["lists in lists", "[".repeat(100_000)],
    ["closed lists in lists", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["block lists in lists", `${"- ".repeat(100_000)}a`],
    ["keys that are mappings", `${"? ".repeat(100_000)}a`],
    ["mappings in mappings", "{a: ".repeat(60_000)],
    ["anchors on anchors", "&a ".repeat(80_000)],
    ["quotes", '"'.repeat(60_001)],
  ])("%s are refused in time that grows with their length, not its square", (_, text) => {
    const before = process.cpuUsage();
    expect(problemsOf(text)).not.toEqual([]);
    expect(process.cpuUsage(before).user).toBeLessThan(CPU_MAX_US);
  });

  test("many keys are read in time that grows with their number, not its square", () => {
    const before = process.cpuUsage();
    parseYaml("x", Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join("\n"));
    expect(process.cpuUsage(before).user).toBeLessThan(CPU_MAX_US);
  });

  test("any text is read or refused as invalid, and leaves Object.prototype alone", () => {
    const piece = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "  ",
      "[",
      "]",
      "{",
      "}",
      ",",
      '"',
      "'",
      "&x ",
      "*x",
      "!t ",
      "#",
      "|",
      ">",
      "? ",
      "---\n",
      "%",
      "\t",
      "__proto__",
      "${A}",
      "1",
      "null",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        problemsOf(pieces.join(""));
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

test("a single value is read under the same rules", () => {
  expect(["4", "true", "[a, b]", "{ a: 1 }", "x y", ""].map((text) => parseYamlValue("X", text))).toEqual([
    4,
    true,
    ["a", "b"],
    { a: 1 },
    "x y",
    null,
  ]);
  expect(() => parseYamlValue("X", "{ __proto__: 1 }")).toThrow("X:1:3: __proto__ cannot be the name of a setting.");
});
