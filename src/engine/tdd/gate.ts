import { AppError } from "../../base/errors.ts";
import type { GateEvidence, GateFinding, GateKind } from "../../contract/gate.ts";
import type { TestSetup } from "../../contract/test-setup.ts";
import { sizeOf, type FileChange } from "../../domain/file-change.ts";
import type { SuiteRun } from "../../domain/suite.ts";
import { isUnsettled, judgeChanges, judgeTests, testsToRepeat, type TestFacts } from "../../domain/tdd-gate.ts";
import { isManifest } from "../../domain/test-settings.ts";
import type { GatedRun } from "../../store/runs.ts";
import type { Job } from "../job.ts";
import type { EngineParts } from "../parts.ts";
import type { CheckedWork, Verifier } from "../verification.ts";
import { runSuite } from "./suite-runner.ts";

export interface GateRequest {
  readonly gate: GateKind;
  /** The base of the task, and what its run came to. */
  readonly baseCommit: string;
  readonly headCommit: string;
  /** What gates accepted of the stages before, the oldest first. */
  readonly accepted: readonly GatedRun[];
}

/** What a gate has to know of a run. */
export type GatedWork = CheckedWork & { readonly task: Pick<Job["task"], "key" | "title" | "body" | "parameters"> };

const KNOWN_MAX = 8;
const LOG_MAX = 4096;

/** Judges commits by tests that it runs in clean trees of them. What an agent says or left lying about counts for nothing. */
export class Gate {
  readonly #parts: Pick<EngineParts, "branches" | "clock" | "redact">;
  readonly #verifier: Verifier;
  /** Of the newest bases, what their suite did: the tasks of a project mostly share one. */
  readonly #known = new Map<string, SuiteRun>();

  constructor(parts: Pick<EngineParts, "branches" | "clock" | "redact">, verifier: Verifier) {
    this.#parts = parts;
    this.#verifier = verifier;
  }

  async judge(job: GatedWork, request: GateRequest, signal: AbortSignal): Promise<GateEvidence> {
    const setup = requireTestSetup(job);
    const startedAt = this.#parts.clock.elapsed();
    const changes = await this.#readChanges(job, request, signal);
    const refused = judgeChanges({ gate: request.gate, setup, asked: askedBy(job), ...changes });
    // Nothing of a change that was tampered with is worth being run.
    const seen = refused.length > 0 ? null : await this.#tryTests(job, setup, request, changes, signal);
    const { findings, tests, flaky } = seen?.verdict ?? { findings: refused, tests: [], flaky: [] };
    return {
      gate: request.gate,
      accepted: findings.length === 0,
      fromCommit: startOf(request),
      headCommit: request.headCommit,
      findings: findings.map((one) => ({ ...one, message: this.#parts.redact(one.message) })),
      tests: tests.slice(0, 200),
      flaky,
      counts: countsOf(seen?.facts.head[0]),
      diff: sizeOf(changes.sinceStage),
      log: this.#parts.redact(seen ? logOf(seen.facts, setup, findings) : "").slice(0, LOG_MAX),
      durationMs: Math.round(this.#parts.clock.elapsed() - startedAt),
    };
  }

  async #readChanges({ project }: GatedWork, request: GateRequest, signal: AbortSignal) {
    const { baseCommit, headCommit } = request;
    const between = (from: string, to: string) => this.#parts.branches.changes(project, from, to, signal);
    const sinceBase = await between(baseCommit, headCommit);
    const texts = new Map<string, string>();
    for (const { path } of sinceBase.filter((change) => isManifest(change.path)))
      for (const [at, commit] of [["base", baseCommit] as const, ["head", headCommit] as const])
        texts.set(`${at} ${path}`, await this.#parts.branches.textAt(project, commit, path));
    const sinceStage = await this.#sinceRed(request, sinceBase, between);
    return { sinceBase, sinceStage, textOf: (path: string, at: "base" | "head") => texts.get(`${at} ${path}`) ?? "" };
  }

  /** What was changed since red was accepted. Where the work was moved onto another base since then, without what that base changed. */
  async #sinceRed(request: GateRequest, sinceBase: FileChange[], between: (from: string, to: string) => Promise<FileChange[]>) {
    const start = request.accepted.at(-1);
    if (start === undefined) return sinceBase;
    const changes = await between(start.headCommit, request.headCommit);
    if (start.baseCommit === request.baseCommit) return changes;
    const moved = new Set((await between(start.baseCommit, request.baseCommit)).map(({ path }) => path));
    return changes.filter(({ path }) => !moved.has(path));
  }

  async #tryTests(
    job: GatedWork,
    setup: TestSetup,
    request: GateRequest,
    { sinceBase }: { sinceBase: readonly FileChange[] },
    signal: AbortSignal,
  ) {
    const { gate, baseCommit, headCommit, accepted } = request;
    const base = [await this.#suiteOfBase(job, setup, baseCommit, signal)];
    const red = gate === "red" ? null : (accepted.findLast((one) => one.gate.gate === "red")?.gate.tests ?? []);
    const head = await this.#verifier.withTree(
      job,
      headCommit,
      { anew: gate === "verify" },
      async (tree) => {
        const run = (files: readonly string[] | null) => runSuite(this.#verifier, job, setup, tree, files, signal);
        const runs = [await run(null)];
        const repeated = testsToRepeat({ gate, base, head: runs, red });
        for (let count = 1; count < setup.reruns && repeated.length > 0; count++) runs.push(await run(filesOf(repeated)));
        return runs;
      },
      signal,
    );
    if (isUnsettled({ base, head })) base.push(...(await this.#moreOfBase(job, setup, baseCommit, signal)));
    const facts: TestFacts = { gate, asked: askedBy(job), sinceBase, base, head, red };
    return { facts, verdict: judgeTests(facts) };
  }

  async #suiteOfBase(job: GatedWork, setup: TestSetup, commit: string, signal: AbortSignal): Promise<SuiteRun> {
    const key = JSON.stringify([job.project.id, commit, setup]);
    const before = this.#known.get(key);
    if (before) return before;
    const suite = await this.#verifier.withTree(
      job,
      commit,
      { anew: false },
      (tree) => runSuite(this.#verifier, job, setup, tree, null, signal),
      signal,
    );
    if (this.#known.size >= KNOWN_MAX) this.#known.delete(this.#known.keys().next().value ?? "");
    if (suite.exitCode !== null) this.#known.set(key, suite);
    return suite;
  }

  #moreOfBase(job: GatedWork, setup: TestSetup, commit: string, signal: AbortSignal): Promise<SuiteRun[]> {
    return this.#verifier.withTree(
      job,
      commit,
      { anew: false },
      async (tree) => {
        const runs: SuiteRun[] = [];
        for (let count = 1; count < setup.reruns; count++) runs.push(await runSuite(this.#verifier, job, setup, tree, null, signal));
        return runs;
      },
      signal,
    );
  }
}

/** Throws `invalid`, with what to set, for a project of which it is not known how its tests are run. */
export function requireTestSetup({ config, project }: Pick<GatedWork, "config" | "project">): TestSetup {
  const { tests } = config.project;
  if (tests !== null) return tests;
  const message = `How the tests of ${project.name} are run is not known, and a stage with a gate needs it: set project.tests in its .drover/config.yaml (docs/guides/tdd.md), or have it detected with drover init.`;
  throw new AppError("invalid", message, { reason: "setup_failed" });
}

function askedBy({ task: { title, body, parameters } }: GatedWork): string {
  return [title, body, ...Object.values(parameters)].join("\n");
}

function startOf({ accepted, baseCommit }: GateRequest): string {
  return accepted.at(-1)?.headCommit ?? baseCommit;
}

/** Null: of one of them it is not known in which file it is. */
function filesOf(tests: readonly { readonly file: string | null }[]): string[] | null {
  const files = tests.map(({ file }) => file);
  return files.every((file) => file !== null) ? [...new Set(files)] : null;
}

function countsOf(run: SuiteRun | undefined): GateEvidence["counts"] {
  const count = (wanted: string) => (run?.results ?? []).filter(({ status }) => status === wanted).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** What the tests said: of red its failures, of a later stage that its tests pass, or what does not. */
function logOf({ head: [run] }: TestFacts, { all }: TestSetup, findings: readonly GateFinding[]): string {
  if (run === undefined) return "";
  const { passed, failed, skipped } = countsOf(run);
  const failures = run.results.filter(({ status }) => status === "failed").map(({ name, message }) => `not ok ${name}\n${message}`);
  const passes = run.results.filter(({ status }) => status === "passed").map(({ name }) => `ok ${name}`);
  const unread = findings.length > 0 && run.problem !== null ? [run.printed] : [];
  const head = `$ ${all}  (exit code ${run.exitCode ?? "none"})\n${passed} passed, ${failed} failed, ${skipped} left out`;
  return [head, ...unread, ...failures, ...passes].join("\n");
}
