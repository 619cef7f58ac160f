import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { TestResult } from "../contract/test-report.ts";
import { failed, type ReportReader, went } from "./results.ts";

const Line = z.object({
  Action: z.string(),
  Package: z.string().optional(),
  ImportPath: z.string().optional(),
  Test: z.string().optional(),
  Output: z.string().optional(),
});

const OUTPUT_MAX = 8000;

/**
 * The JSON lines of `go test -json` (test2json). A package that can't be built has no tests to tell of; what the compiler says of it
 * stands between the lines, or in lines of its own since Go 1.24. Go has no assertions: a test that calls `t.Error` or `t.Fatal`
 * asserts, one that panics does not.
 */
export const readGo: ReportReader = (text) => {
  const outputs = new Map<string, string>();
  const results: TestResult[] = [];
  const parents = new Set<string>();
  let compiler = "";
  let isReport = false;
  for (const row of text.split("\n")) {
    const line = row.startsWith("{") ? Line.safeParse(parsed(row)).data : undefined;
    if (line === undefined) {
      compiler = (compiler + row + "\n").slice(0, OUTPUT_MAX);
      continue;
    }
    isReport = true;
    const { Action: action, Package: name = "", Test: test, Output: output = "" } = line;
    if (action === "build-output") compiler = (compiler + output).slice(0, OUTPUT_MAX);
    const key = test === undefined ? name : `${name}.${test}`;
    if (action === "output") outputs.set(key, ((outputs.get(key) ?? "") + output).slice(0, OUTPUT_MAX));
    if (test?.includes("/")) parents.add(`${name}.${test.slice(0, test.lastIndexOf("/"))}`);
    const result = resultOf(action, key, test !== undefined, outputs.get(key) ?? "", compiler);
    if (result) results.push(result);
  }
  if (!isReport) throw new AppError("invalid", `A test report is not that of \`go test -json\`: ${text.slice(0, 500)}`);
  // A test with subtests fails because one of them does.
  return results.filter(({ name, status }) => !(parents.has(name) && status === "failed"));
};

function resultOf(action: string, name: string, isTest: boolean, output: string, compiler: string): TestResult | undefined {
  if (!isTest) {
    const isBroken = action === "fail" && /\[(?:build|setup) failed\]/u.test(output);
    return isBroken ? failed(name, `${compiler}${output}`, { isWhole: true }) : undefined;
  }
  if (action === "pass") return went("passed", name);
  if (action === "skip") return went("skipped", name);
  if (action !== "fail") return undefined;
  const file = /^\s*(\S+_test\.go):\d+:/mu.exec(output)?.[1];
  return { ...failed(name, output, { file: null }), ...(/\bpanic:/u.test(output) ? {} : assertionIn(file)) };
}

function assertionIn(file: string | undefined) {
  return file === undefined ? {} : ({ kind: "assertion", missing: null } as const);
}

function parsed(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    // A line of somebody else's that begins with a brace.
    return undefined;
  }
}
