import { AppError } from "../base/errors.ts";
import type { TestResult } from "../contract/test-report.ts";
import { failed, type ReportReader, went } from "./results.ts";

const TARGET = /^\s+(?:Running (?:unittests )?(\S+)|Doc-tests (\S+))/u;
const RESULT = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)/u;

/**
 * What `cargo test` prints, for it has no report: lines of results, and what each failed test printed behind them. A target
 * that can't be compiled has no tests to tell of; then the compiler's errors are all there is.
 */
export const readCargo: ReportReader = (text) => {
  const rows = text.split("\n");
  const said = outputsOf(rows);
  const results: TestResult[] = [];
  let target = "";
  for (const row of rows) {
    const begun = TARGET.exec(row);
    if (begun) target = begun[1] ?? `doc ${begun[2] ?? ""}`;
    const [, test = "", how] = RESULT.exec(row) ?? [];
    const name = `${target} > ${test}`;
    if (how === "FAILED") results.push(failed(name, said.get(name) ?? "", { file: target }));
    else if (how) results.push(went(how === "ok" ? "passed" : "skipped", name, target));
  }
  const broken = [...text.matchAll(/^error: could not compile `([^`]+)` \((.+?)\)/gmu)];
  for (const [, crate = "", what = ""] of broken) {
    const name = /^test "(.+)"$/u.exec(what)?.[1];
    const file = name === undefined ? null : `tests/${name}.rs`;
    results.push(failed(file ?? `${crate} (${what})`, errorsOf(text, file), { file, isWhole: true }));
  }
  if (results.length === 0 && !text.includes("test result:"))
    throw new AppError("invalid", `A test report is not what \`cargo test\` prints: ${text.slice(0, 500)}`);
  return results;
};

/** What stands under `---- name stdout ----`, by the test's name. */
function outputsOf(rows: readonly string[]): Map<string, string> {
  const said = new Map<string, string>();
  let target = "";
  let name: string | undefined;
  for (const row of rows) {
    const begun = TARGET.exec(row);
    if (begun) target = begun[1] ?? `doc ${begun[2] ?? ""}`;
    const titled = /^---- (.+) stdout ----$/u.exec(row)?.[1];
    if (titled !== undefined) name = `${target} > ${titled}`;
    else if (/^failures:$|^stack backtrace:$|^note: /u.test(row)) name = undefined;
    else if (name !== undefined) said.set(name, `${said.get(name) ?? ""}${row}\n`);
  }
  return said;
}

function errorsOf(text: string, file: string | null): string {
  const errors = text.split(/\n(?=error)/u).filter((block) => block.startsWith("error") && (file === null || block.includes(file)));
  return errors.join("\n");
}
