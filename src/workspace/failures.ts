import { stripVTControlCharacters } from "node:util";
import { safeLine } from "../base/text.ts";

/** Reads a command's output line by line for the names of what failed. */
export interface FailureReader {
  read(line: string): void;
  /**
   * Names of failing tests and of errors with a place, sorted; one that occurred twice is there twice. As full as the output
   * gives them (file, suites, name), without durations and line numbers, so that they can be compared between two runs.
   * Empty also when there are more than 2,000: then nobody compares them by name.
   */
  failures(): string[];
}

/** One format of output. `names` is asked once, at the end. */
interface Format {
  read(line: string): void;
  names(): Iterable<string>;
}

const NAMES_MAX = 2000;
const NAME_MAX_LENGTH = 300;
/** A longer line is no test's name, and would keep the patterns busy. */
const LINE_MAX_LENGTH = 4000;

/** TAP, node:test, vitest, jest, mocha, pytest, unittest, go test, cargo test, JUnit's XML, Gradle, Maven, RSpec, compilers and linters. */
export function createFailureReader(): FailureReader {
  const formats: Format[] = [
    readTap(),
    readNodeSpec(),
    readVitest(),
    readJest(),
    readMocha(),
    readPytest(),
    readGo(),
    readCargo(),
    readJunit(),
    readOneLiners(),
    readDiagnostics(),
  ];
  return {
    read(line) {
      if (line.length > LINE_MAX_LENGTH) return;
      const text = stripVTControlCharacters(line.slice(line.lastIndexOf("\r", line.length - 2) + 1)).trimEnd();
      for (const format of formats) format.read(text);
    },
    failures() {
      const names = formats.flatMap((format) => [...format.names()]).map((name) => safeLine(name, NAME_MAX_LENGTH));
      return names.length > NAMES_MAX ? [] : names.toSorted();
    },
  };
}

/**
 * `not ok 3 - name`, indented below its suite; the suite is named by `# Subtest:` before it or by a line that ends with `{`.
 * Node adds the file as `location:` behind it.
 */
function readTap(): Format {
  const names: string[] = [];
  const suites: { indent: number; name: string }[] = [];
  let isLast = false;
  const leave = (indent: number) => {
    while ((suites.at(-1)?.indent ?? -1) >= indent) suites.pop();
  };
  return {
    read(line) {
      const file = /^\s+location: '(.+?)(?::\d+)*'$/.exec(line)?.[1];
      if (file !== undefined && isLast) names.push(`${file} > ${names.pop()}`);
      if (file !== undefined) isLast = false;
      const [, space, subtest, verdict, rest] = /^(\s*)(?:# Subtest: (.*)|(ok|not ok) \d+(?: -)? ?(.*))$/.exec(line) ?? [];
      if (space === undefined) return;
      const indent = space.length;
      leave(indent);
      if (subtest !== undefined) return void suites.push({ indent, name: subtest });
      const [name = "", directive = ""] = (rest ?? "").split(/ # ?(?=time=|TODO|SKIP)/i);
      const isExcused = /^(?:TODO|SKIP)/i.test(directive);
      isLast = verdict === "not ok" && !isExcused;
      if (isLast) names.push([...suites.map((suite) => suite.name), name].join(" > "));
      if (line.endsWith(" {")) suites.push({ indent, name });
    },
    names: () => names,
  };
}

/**
 * Node's own reporter: a tree with the suites but no files, and below `✖ failing tests:` the same tests in the same order
 * with their file but no suites.
 */
function readNodeSpec(): Format {
  const tree: string[][] = [];
  const listed: { file: string; name: string }[] = [];
  const suites: { indent: number; name: string }[] = [];
  let isSummary = false;
  let file = "";

  const readTree = (indent: number, mark: string, name: string) => {
    const last = suites.at(-1);
    if (mark === "▶") suites.push({ indent, name });
    else if (last?.indent === indent && last.name === name) suites.pop();
    else if (mark === "✖") tree.push([...suites.map((suite) => suite.name), name]);
  };
  return {
    read(line) {
      if (line === "✖ failing tests:") isSummary = true;
      const place = /^test at (.+?)(?::\d+)*$/.exec(line)?.[1];
      if (place !== undefined) file = place;
      const [, space = "", mark, rest = ""] = /^(\s*)([▶✔✖]) (.+)$/.exec(line) ?? [];
      const name = rest.replace(/ \(\d+(?:\.\d+)?m?s\)(?: # .*)?$/, "");
      if (mark === undefined || (mark !== "▶" && name === rest)) return;
      if (!isSummary) readTree(space.length, mark, name);
      else if (mark === "✖" && space === "") listed.push({ file, name });
    },
    names() {
      const isSame = tree.length === listed.length && tree.every((path, i) => path.at(-1) === listed[i]?.name);
      if (listed.length === 0) return tree.map((path) => path.join(" > "));
      return listed.map(({ file, name }, i) => [file, ...(isSame ? (tree[i] ?? []) : [name])].filter(Boolean).join(" > "));
    },
  };
}

/** ` FAIL  file > suite > name`, and ` FAIL  file [ file ]` for a file that could not be loaded. */
function readVitest(): Format {
  const names: string[] = [];
  return {
    read(line) {
      const [, test, file] = /^\s*FAIL\s{2,}(?:\|[^|]+\|\s+)?(?:(\S.* > .+)|(\S+) \[ \S+ \])$/.exec(line) ?? [];
      if (test !== undefined) names.push(test);
      if (file !== undefined) names.push(file);
    },
    names: () => names,
  };
}

/** `FAIL file`, then `  ● suite › name` for each; with many files all of it once more at the end. */
function readJest(): Format {
  const names = new Set<string>();
  let file = "";
  return {
    read(line) {
      const failed = /^\s?(?:FAIL|PASS)\s+(?:\S+ )?(\S+\.[cm]?[jt]sx?)(?: \([\d.]+ m?s\))?$/.exec(line)?.[1];
      if (failed !== undefined) file = failed;
      const name = /^ {2}● (.+)$/.exec(line)?.[1];
      const isTest = name !== undefined && (name.includes(" › ") || !/^Console$|^Validation /.test(name));
      if (isTest && file !== "") names.add(`${file} › ${name}`);
    },
    names: () => names,
  };
}

/** Below `N failing`: `  1) suite`, further suites and the name on lines of their own, the last with a colon. */
function readMocha(): Format {
  const names: string[] = [];
  let isSummary = false;
  let parts: string[] | undefined;
  return {
    read(line) {
      if (/^\s+\d+ failing$/.test(line)) isSummary = true;
      if (!isSummary) return;
      const first = /^\s+\d+\) (.+)$/.exec(line)?.[1];
      if (first !== undefined) parts = [first];
      else if (parts !== undefined && /^ {7,}\S/.test(line)) parts.push(line.trim());
      else parts = undefined;
      if (!parts?.at(-1)?.endsWith(":")) return;
      names.push(parts.join(" > ").slice(0, -1));
      parts = undefined;
    },
    names: () => names,
  };
}

/** pytest's short summary, its verbose lines, and `FAIL: test (class)` of unittest. */
function readPytest(): Format {
  const names = new Set<string>();
  return {
    read(line) {
      const summary = /^(?:FAILED|ERROR) (\S+\.py(?:::[^[\s]+(?:\[.*?\](?= - |$))?)?)(?: - |$)/.exec(line)?.[1];
      const verbose = /^(\S+\.py::.+?) (?:FAILED|ERROR)(?:\s+\[\s*\d+%\])?$/.exec(line)?.[1];
      const unittest = /^(?:FAIL|ERROR): (\S+ \(\S+\).*)$/.exec(line)?.[1];
      for (const name of [summary, verbose, unittest]) if (name !== undefined) names.add(name);
    },
    names: () => names,
  };
}

/** `--- FAIL: Test/sub (0.00s)`, with the package on a `FAIL` line behind all of its tests; or the same as JSON lines. */
function readGo(): Format {
  const names: string[] = [];
  let pending: string[] = [];
  return {
    read(line) {
      const test = /^\s*--- FAIL: (\S+) \(/.exec(line)?.[1];
      if (test !== undefined) pending.push(test);
      const [, name, how] = /^FAIL\t(\S+)(?:\s(\[.+ failed\]))?/.exec(line) ?? [];
      if (name !== undefined) {
        names.push(...(pending.length > 0 ? pending.map((one) => `${name} ${one}`) : [how === undefined ? name : `${name} ${how}`]));
        pending = [];
      }
      const [, json] = /^(\{.*"Action":"fail".*\})$/.exec(line) ?? [];
      if (json !== undefined)
        names.push([/"Package":"([^"]*)"/.exec(json)?.[1] ?? "", /"Test":"([^"]*)"/.exec(json)?.[1] ?? ""].join(" ").trim());
    },
    names: () => [...names, ...pending],
  };
}

/** `test module::name ... FAILED` below the program it is in; `FAIL [ 0.1s] crate name` of nextest. */
function readCargo(): Format {
  const names = new Set<string>();
  let program = "";
  return {
    read(line) {
      program = /^\s+(?:Running (?:unittests )?(\S+) \(|Doc-tests (\S+))/.exec(line)?.slice(1).find(Boolean) ?? program;
      const test = /^test (.+?)(?: \(line \d+\))? \.\.\. FAILED$/.exec(line)?.[1];
      if (test !== undefined) names.add(`${program} ${test}`.trim());
      const nextest = /^\s+FAIL \[\s*[\d.]+s\]\s+(?:\(\s*\d+\/\d+\)\s+)?(\S.*)$/.exec(line)?.[1];
      if (nextest !== undefined) names.add(nextest);
    },
    names: () => names,
  };
}

/** `<testcase classname="c" name="n">` with a `<failure>` or `<error>` in it. */
function readJunit(): Format {
  const names: string[] = [];
  let current: string | undefined;
  return {
    read(line) {
      if (!line.includes("<")) return;
      for (const [, tag, attributes = ""] of line.matchAll(/<(testcase|failure|error|\/testcase)\b((?:[^>"]|"[^"]*")*)>/g)) {
        if (tag === "testcase") current = attributes.endsWith("/") ? undefined : testcaseName(attributes);
        else if (current !== undefined && tag !== "/testcase") names.push(current);
        if (tag !== "testcase") current = undefined;
      }
    },
    names: () => names,
  };
}

function testcaseName(attributes: string): string {
  const value = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
  return [value("file"), value("classname"), value("name")].filter(Boolean).join(" > ");
}

/** Formats that say all of a failure on one line. */
function readOneLiners(): Format {
  const shapes = [
    /^(\S.* > .+) FAILED$/, // Gradle
    /^\[ERROR\]\s+(?!Tests run)(\S+(?: \S+)?)\s.*<<< (?:FAILURE|ERROR)!$/, // Maven
    /^rspec (\.\/\S+?(?:\[[\d:]+\])?(?::\d+)? # .+)$/, // RSpec
    /^\s+Failed (\S.*) \[[<\d].*\]$/, // dotnet test
  ];
  const names = new Set<string>();
  return {
    read(line) {
      for (const shape of shapes) {
        const name = shape.exec(line)?.[1];
        if (name !== undefined) names.add(name.replace(/^(\.\/\S+?)(?:\[[\d:]+\])?(?::\d+)? # /, "$1 "));
      }
    },
    names: () => names,
  };
}

/** Errors that name a place: tsc, gcc and its likes, the Go compiler, rustc, and ESLint with the file on a line of its own. */
function readDiagnostics(): Format {
  const names: string[] = [];
  let file = "";
  return {
    read(line) {
      const [, place, what] =
        /^(\S+?)\(\d+,\d+\): (error .+)$/.exec(line) ??
        /^(\S+?):\d+:\d+ - (error .+)$/.exec(line) ??
        /^(\S+\.\w+):\d+(?::\d+)?: ((?:fatal )?error\b.+)$/.exec(line) ??
        /^(\S+\.go):\d+:\d+: (.+)$/.exec(line) ??
        [];
      if (place !== undefined) names.push(`${place}: ${what}`);
      const rust = /^(error\[E\d+\]: .+)$/.exec(line)?.[1];
      if (rust !== undefined) names.push(rust);
      if (/^(?:\.?\/|[\w@.-]+\/|[\w.-]+$)\S*\.\w+$/.test(line)) file = line;
      const lint = /^\s+\d+:\d+\s+error\s+(.+)$/.exec(line)?.[1];
      if (lint !== undefined) names.push(`${file}: ${lint}`);
    },
    names: () => names,
  };
}
