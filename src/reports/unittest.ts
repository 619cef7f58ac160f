import { AppError } from "../base/errors.ts";
import type { TestResult } from "../contract/test-report.ts";
import { failed, type ReportReader, went } from "./results.ts";

const STATUS = "ok|FAIL|ERROR|skipped(?: .*)?|expected failure|unexpected success";
const STARTED = /^(\S+) \(([\w.]+)\)(.*)$/u;
const ENDED = new RegExp(`(?:^|\\.\\.\\. )(${STATUS})$`, "u");
const BLOCK = /^={20,}\n(FAIL|ERROR): (\S+) \(([\w.]+)\)(.*)\n([^]*?)(?=^={20,}$|^-{20,}\nRan )/gmu;

/**
 * What `python3 -m unittest -v` prints, for it has no report. A test's line may be broken by its description and by what it prints;
 * what failed is told once more, with its traceback, in a block of its own.
 */
export const readUnittest: ReportReader = (text) => {
  if (!/^Ran \d+ tests? in /mu.test(text))
    throw new AppError("invalid", `The tests of unittest did not come to an end: ${text.slice(-500)}`);
  const failures = new Map<string, TestResult>();
  for (const [, word = "", test = "", place = "", , said = ""] of text.matchAll(BLOCK)) {
    const name = nameOf(test, place);
    failures.set(name, failureOf(name, place, said.replace(/^[^]*?-{20,}\n/u, ""), word));
  }
  const results = new Map<string, TestResult>();
  let begun: string | undefined;
  for (const row of text.split(/^={20,}$/mu, 1)[0]?.split("\n") ?? []) {
    const [, test, place] = STARTED.exec(row) ?? [];
    if (test !== undefined && place !== undefined) begun = nameOf(test, place);
    const status = ENDED.exec(row)?.[1];
    if (status === undefined || begun === undefined) continue;
    const failure = failures.get(begun);
    if (failure) results.set(begun, failure);
    else if (status === "ok" || status === "expected failure") results.set(begun, went("passed", begun));
    else if (status.startsWith("skipped")) results.set(begun, went("skipped", begun));
    else results.set(begun, failed(begun, status));
    begun = undefined;
  }
  // A set-up of a class or module that fails has no line of its own.
  for (const [name, failure] of failures) if (!results.has(name)) results.set(name, failure);
  return [...results.values()];
};

/** `place` is `module.Class`, or since Python 3.11 `module.Class.test`. */
function nameOf(test: string, place: string): string {
  if (place.startsWith("unittest.loader._FailedTest")) return test;
  return place.endsWith(`.${test}`) ? place : `${place}.${test}`;
}

function failureOf(name: string, place: string, traceback: string, word: string): TestResult {
  const isWhole = place.startsWith("unittest.loader._FailedTest");
  const last =
    traceback
      .trimEnd()
      .split("\n")
      .findLast((row) => /^\w[\w.]*(?::|$)/u.test(row)) ?? "";
  const failure = failed(name, isWhole ? last : `${last}\n${traceback.trim()}`, { isWhole, said: last.split(":", 1)[0] });
  return word === "FAIL" ? { ...failure, kind: "assertion", missing: null } : failure;
}
