import type { GateFinding, GateKind, GateRule, GateTest } from "../contract/gate.ts";
import type { TestResult } from "../contract/test-report.ts";
import type { TestSetup } from "../contract/test-setup.ts";
import type { FileChange } from "./file-change.ts";
import { settle, type SettledTest, type SuiteRun } from "./suite.ts";
import { codeSigns, lastPart, mocking, signsIn, testSigns, weakening } from "./tampering.ts";
import { changesTestRun, isManifest, isRunnerFile, isTestFile } from "./test-settings.ts";

/** What a stage's commit is judged by, before anything of it is run. */
export interface ChangeFacts {
  readonly gate: GateKind;
  readonly setup: Pick<TestSetup, "files" | "settings">;
  /** All that the request says: what it names may be missing when a test is new. */
  readonly asked: string;
  /** From the base of the task to the commit, and from the commit that the stage began from. */
  readonly sinceBase: readonly FileChange[];
  readonly sinceStage: readonly FileChange[];
  /** The text of a manifest that was changed since the base; empty: it was not there. */
  readonly textOf: (path: string, at: "base" | "head") => string;
}

/** What the tests did. `base` is the task's base, `head` the commit; the first run of each is that of the whole suite. */
export interface TestFacts {
  readonly gate: GateKind;
  readonly asked: string;
  readonly sinceBase: readonly FileChange[];
  readonly base: readonly SuiteRun[];
  readonly head: readonly SuiteRun[];
  /** The tests that fail at red; null: this is red. */
  readonly red: readonly GateTest[] | null;
}

export interface TestVerdict {
  readonly findings: GateFinding[];
  /** The tests that fail at red. */
  readonly tests: GateTest[];
  readonly flaky: string[];
}

const FILES_MAX = 500;
const FINDINGS_MAX = 50;

/** What the change itself shows: at red only tests may change, later no test may; and nobody may change how tests are run. */
export function judgeChanges({ gate, setup, asked, sinceBase, sinceStage, textOf }: ChangeFacts): GateFinding[] {
  if (sinceBase.length > FILES_MAX)
    return [finding("too_large", `It changes ${sinceBase.length} files; at most ${FILES_MAX} can be looked at. Do less at once.`)];
  const settings = sinceBase.flatMap(({ path }) => {
    const isSetting =
      isRunnerFile(path, setup.settings) || (isManifest(path) && changesTestRun(path, textOf(path, "base"), textOf(path, "head")));
    return isSetting ? [finding("runner_changed", `${path} says how the tests are run, and was changed.`, path)] : [];
  });
  const tests = sinceStage.filter(({ path }) => isTestFile(path, setup));
  const code = sinceBase.filter(({ path }) => !isTestFile(path, setup));
  const found =
    gate === "red"
      ? [...code.map(notATest), ...tests.flatMap((change) => judgeNewTest(change, (name) => isNamed(name, asked)))]
      : [...tests.map(changedTest), ...code.flatMap((change) => signsIn(change, codeSigns))];
  return [...settings, ...found.filter(({ file }) => !settings.some((setting) => setting.file === file))].slice(0, FINDINGS_MAX);
}

function notATest({ path }: FileChange): GateFinding {
  return finding("not_a_test", `${path} is no test: at red only tests change, so that they fail for want of the code.`, path);
}

function judgeNewTest(change: FileChange, isAsked: (name: string) => boolean): GateFinding[] {
  if (change.status === "removed") return [finding("deleted_test", `${change.path} was removed.`, change.path)];
  return [...signsIn(change, testSigns), ...weakening(change), ...mocking(change, isAsked)];
}

function changedTest({ path, status, added, removed }: FileChange): GateFinding {
  if (status === "removed") return finding("deleted_test", `${path} was removed.`, path);
  const line = (added[0] ?? removed[0])?.line ?? null;
  const place = line === null ? path : `${path}:${line}`;
  const what = status === "added" ? "is a new test file" : "was changed";
  return finding("test_changed", `${place} ${what}: tests stay as red left them.`, path, line);
}

/** The tests whose word is asked for again, so that none counts by luck. */
export function testsToRepeat(facts: Omit<TestFacts, "asked" | "sinceBase">): TestResult[] {
  const [base, head] = [settle(facts.base), settle(facts.head)];
  const atRed = new Set(facts.red?.map(({ name }) => name));
  return [...head].flatMap(([name, { status, result }]) => {
    const isOfCycle = atRed.has(name) || (facts.red !== null && !base.has(name));
    return isOfCycle || (status === "failed" && base.get(name)?.status !== "failed") ? [result] : [];
  });
}

/** Whether a test that the base has, and that did not always pass with the change, has to be asked of the base again. */
export function isUnsettled({ base, head }: Pick<TestFacts, "base" | "head">): boolean {
  const before = settle(base);
  return [...settle(head)].some(([name, { status }]) => status === "flaky" && before.get(name)?.status === "passed");
}

export function judgeTests(facts: TestFacts): TestVerdict {
  const unread = unreadable(facts);
  if (unread) return { findings: [unread], tests: [], flaky: [] };
  return facts.red === null ? judgeRed(facts) : judgeKept(facts, facts.red);
}

function unreadable({ base, head }: TestFacts): GateFinding | undefined {
  for (const { exitCode } of [...base, ...head])
    if (exitCode === null) return finding("timed_out", "The tests did not come to their end within their time (project.tests.timeoutMs).");
  const problem = head.find((run) => run.problem !== null)?.problem;
  if (problem) return finding("no_report", `What the tests did can't be told, so it counts as failed: ${problem}`);
  return head[0]?.results.length === 0 ? finding("no_report", "No test was run at all.") : undefined;
}

interface Judged {
  readonly base: ReadonlyMap<string, SettledTest>;
  readonly head: ReadonlyMap<string, SettledTest>;
}

function judgeRed(facts: TestFacts): TestVerdict {
  const judged = { base: settle(facts.base), head: settle(facts.head) };
  const fresh = [...judged.head].filter(
    ([name, { status }]) => status !== "passed" && status !== "skipped" && judged.base.get(name)?.status !== "failed",
  );
  const failing = fresh.filter(([name, test]) => test.status === "failed" && mayFail(name, test, judged, facts.sinceBase));
  const findings = [
    ...fresh.flatMap(([name, test]) => (test.status === "flaky" ? flakyRed(name, judged) : [])),
    ...fresh.flatMap(([name, test]) =>
      test.status === "failed" && !failing.some(([one]) => one === name) ? [newFailure(name, test)] : [],
    ),
    ...failing.flatMap(([, { result }]) => wrongReason(result, facts.asked)),
    ...lostTests(judged, facts.sinceBase),
    ...(fresh.length === 0 ? [nothingFails(judged)] : []),
  ];
  return {
    findings: findings.slice(0, FINDINGS_MAX),
    tests: failing.map(([name, { result }]) => ({ name, isWhole: result.isWhole })),
    flaky: flakyOf(judged),
  };
}

/** A test of the base may fail now only if its file was changed, as far as it is known. */
function mayFail(name: string, { result }: SettledTest, { base }: Judged, changes: readonly FileChange[]): boolean {
  return !base.has(name) || result.file === null || changes.some(({ path }) => path === result.file);
}

function flakyRed(name: string, { base }: Judged): GateFinding[] {
  const message = `${name} fails sometimes and passes sometimes: it shows nothing.`;
  return base.get(name)?.status === "flaky" ? [] : [finding("flaky", message)];
}

function wrongReason({ name, file, kind, missing, message }: TestResult, asked: string): GateFinding[] {
  if (kind === "assertion" || (kind === "import" && missing !== null && isNamed(lastPart(missing), asked))) return [];
  const why =
    kind === "syntax"
      ? "its file can't be read as code"
      : kind === "import"
        ? `${missing} is not there, and the request does not ask for it`
        : "something went wrong before it could assert anything";
  return [finding("wrong_reason", `${name} fails, but not because of what it asserts: ${why}. ${firstLine(message)}`, file)];
}

function nothingFails({ base, head }: Judged): GateFinding {
  const passing = [...head].filter(([name, { status }]) => status === "passed" && !base.has(name)).map(([name]) => name);
  if (passing.length === 0)
    return finding("no_new_test", "There is no test that was not there before, so nothing fails for want of the code.");
  const names = passing.slice(0, 5).join(", ");
  return finding("already_passes", `What is new passes already, so it shows nothing of what is asked for: ${names}.`);
}

function judgeKept(facts: TestFacts, red: readonly GateTest[]): TestVerdict {
  const judged = { base: settle(facts.base), head: settle(facts.head) };
  const names = new Set(red.map(({ name }) => name));
  const findings = [
    ...red.flatMap((test) => keptTest(test, judged)),
    ...[...judged.head].flatMap(([name, test]) => (names.has(name) ? [] : otherTest(name, test, judged))),
    ...lostTests(judged, []),
  ];
  if (findings.length === 0) findings.push(...runnerFailure(facts));
  return { findings: findings.slice(0, FINDINGS_MAX), tests: [...red], flaky: flakyOf(judged) };
}

/** A test that fails at red passes now; where red was a whole file of them, there are tests now in its place. */
function keptTest({ name, isWhole }: GateTest, { base, head }: Judged): GateFinding[] {
  const test = head.get(name);
  if (test === undefined) {
    const isReplaced = isWhole && [...head.keys()].some((one) => !base.has(one));
    return isReplaced ? [] : [finding("deleted_test", `${name} fails at red and is not there any more, or was not reached.`)];
  }
  if (test.status === "passed") return [];
  if (test.status === "skipped") return [finding("skipped_test", `${name} fails at red and is left out now.`, test.result.file)];
  if (test.status === "flaky")
    return [finding("flaky", `${name} passes sometimes and fails sometimes: that is not green.`, test.result.file)];
  return [finding("still_fails", `${name} still fails: ${firstLine(test.result.message)}`, test.result.file)];
}

function otherTest(name: string, test: SettledTest, { base }: Judged): GateFinding[] {
  const before = base.get(name)?.status;
  if (test.status === "failed" && before !== "failed" && before !== "flaky") return [newFailure(name, test)];
  if (test.status === "flaky" && before !== "flaky" && before !== "failed") {
    const than = before === "passed" ? "passes on the base each time, and with this change only sometimes" : "passes only sometimes";
    return [finding("flaky", `${name} ${than}.`, test.result.file)];
  }
  return [];
}

function newFailure(name: string, { result }: SettledTest): GateFinding {
  return finding("new_failure", `${name} fails now and did not before: ${firstLine(result.message)}`, result.file);
}

/** Tests of the base that are gone or left out now. Those of a file that can't be run are excused: red is about to say so of the file. */
function lostTests({ base, head }: Judged, changes: readonly FileChange[]): GateFinding[] {
  // Some runners run nothing at all when a part can't be compiled.
  if (changes.length > 0 && [...head.values()].every(({ result }) => result.isWhole)) return [];
  const wholes = [...head.values()].filter(({ status, result }) => status === "failed" && result.isWhole).map(({ result }) => result);
  return [...base].flatMap(([name, { status, result }]) => {
    if (status !== "passed") return [];
    const now = head.get(name);
    if (now?.status === "skipped") return [finding("skipped_test", `${name} passes on the base and is left out now.`, now.result.file)];
    if (now !== undefined || wholes.some((whole) => isExcused(name, result, whole, changes))) return [];
    return [finding("deleted_test", `${name} is on the base and is not there any more, or was not reached.`, result.file)];
  });
}

function isExcused(name: string, result: TestResult, whole: TestResult, changes: readonly FileChange[]): boolean {
  if (belongsTo(name, result, whole.name)) return true;
  // Which file a test is of is not always told; a file that was there before may have had it.
  return result.file === null && changes.some(({ path, status }) => path === whole.file && status === "changed");
}

function belongsTo(name: string, { file }: TestResult, whole: string): boolean {
  return file === whole || [" > ", ".", "/"].some((between) => name.startsWith(`${whole}${between}`));
}

/** A runner that says nothing fails, and fails itself, knows of something that its report does not tell. */
function runnerFailure({ base, head }: TestFacts): GateFinding[] {
  const [run] = head;
  if (run === undefined || run.exitCode === 0 || run.results.some(({ status }) => status === "failed")) return [];
  if (base[0]?.exitCode === run.exitCode && !base[0].results.some(({ status }) => status === "failed")) return [];
  return [finding("runner_failed", `No test fails, but the runner ended with exit code ${run.exitCode}: ${run.printed.slice(-300)}`)];
}

function flakyOf({ base, head }: Judged): string[] {
  return [...head].flatMap(([name, { status }]) => (status === "flaky" || base.get(name)?.status === "flaky" ? [name] : [])).slice(0, 200);
}

/** Whether the request names a thing, in whatever spelling: `slugify`, `SlugIfy` and `slug-ify` are one name. */
function isNamed(name: string, asked: string): boolean {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_]/gu, "");
  const wanted = plain(name);
  return wanted.length > 1 && asked.split(/[^\p{L}\p{N}_-]+/u).some((word) => plain(word) === wanted);
}

function firstLine(message: string): string {
  return (message.split("\n").find((line) => line.trim() !== "") ?? "").trim().slice(0, 300);
}

function finding(rule: GateRule, message: string, file: string | null = null, line: number | null = null): GateFinding {
  return { rule, message, file, line };
}
