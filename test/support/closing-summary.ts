import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { SKIPS_VARIABLE } from "./needs.ts";

interface Skip {
  readonly file: string;
  readonly reason: string;
}

/**
 * The last word of a test run: each matrix, cell by cell, what passed only when it was tried again, what was left out and
 * why, then `N passed, N failed, N skipped` on a line of its own, behind everything else that is printed. With `CI=true` or
 * `DROVER_NO_SKIP=1` a skipped test fails the run.
 */
export default class ClosingSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0).length + (unhandled.length > 0 ? 1 : 0);
    const skipped = modules.flatMap(skippedIn);
    const matrices = matricesOf(tests);
    const flaky = tests.filter((test) => test.diagnostic()?.flaky);
    const mayNotSkip = process.env["CI"] === "true" || process.env["DROVER_NO_SKIP"] === "1";
    process.once("exit", (code) => {
      for (const line of matrices) console.log(line);
      for (const test of flaky)
        console.log(`flaky  ${relative(process.cwd(), test.module.moduleId)} > ${test.fullName}: passed when tried again`);
      for (const line of skipped) console.log(`skipped  ${line}`);
      console.log(`\n${count("passed")} passed, ${count("failed") + broken} failed, ${count("skipped")} skipped`);
      if (skipped.length > 0 && mayNotSkip && code === 0) process.exitCode = 1;
    });
  }
}

/** Of tests that are cells (`testCell`) a line for each row of their matrix. */
function matricesOf(tests: readonly TestCase[]): string[] {
  const cells = tests.flatMap((test) => {
    const { cell } = test.meta();
    return cell === undefined ? [] : [{ row: `${cell.matrix}  ${cell.row}`, text: `${cell.column} ${test.result().state}` }];
  });
  return [...Map.groupBy(cells, ({ row }) => row)].map(([row, ofRow]) => `${row}: ${ofRow.map(({ text }) => text).join(", ")}`);
}

/** A line for each test of a module that did not run, and for a reason that took no test with it, none. */
function skippedIn(module: TestModule): string[] {
  const record = process.env[SKIPS_VARIABLE];
  const lines = record !== undefined && existsSync(record) ? readFileSync(record, "utf8").split("\n").filter(Boolean) : [];
  const reasons = new Set(
    lines.map((line) => JSON.parse(line) as Skip).flatMap(({ file, reason }) => (file === module.moduleId ? [reason] : [])),
  );
  const why = reasons.size > 0 ? [...reasons].join("; ") : "no reason given: use `needs` of test/support/needs.ts";
  return [...module.children.allTests("skipped")].map((test) => {
    const { note } = test.result() as { note?: string };
    return `${relative(process.cwd(), module.moduleId)} > ${test.fullName}: ${note ?? why}`;
  });
}
