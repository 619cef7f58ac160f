import { isAbsolute, join } from "node:path";
import { AppError, messageOf, toAppError } from "../base/errors.ts";
import { FailureReason, type Run, type RunOutcome } from "../contract/run.ts";
import type { Launch } from "../agents/driver.ts";
import type { RunPlace } from "../contract/run-tools.ts";
import { ghProgram } from "../agents/gh-program.ts";
import { hookProgram } from "../agents/hook-program.ts";
import { toolServer, type ToolServer } from "../agents/tool-server.ts";
import { failingChecks } from "../domain/loop.ts";
import { HOSTED_SEAT } from "../domain/seats.ts";
import type { Observation } from "../domain/run-facts.ts";
import type { GateEvidence } from "../contract/gate.ts";
import type { CheckComparison, Proof } from "../contract/proof.ts";
import { quietTitle } from "../publish/quiet-text.ts";
import type { HeldCommand, SharedProgram } from "../process/host.ts";
import { raiseAlert } from "../store/alerts.ts";
import { findGathered } from "../store/gathered.ts";
import { hasBegunAt, listRuns, seatsOfRun, stageReports } from "../store/runs.ts";
import type { CollectedWork, Workspace } from "../workspace/workspaces.ts";
import type { AgentFinder } from "./agent-finder.ts";
import { followAgent, type TurnEnd } from "./agent-turn.ts";
import type { Budgets } from "./budgets.ts";
import { endRun } from "./ending.ts";
import { gatherOutcome, parentBase } from "./gathering.ts";
import { spoolOf, type HookIntake } from "./hook-intake.ts";
import { isolate } from "./isolating.ts";
import { agentLimits } from "./limits.ts";
import { refuseUnfit } from "./children.ts";
import { environmentOf, openJob, record, type Job } from "./job.ts";
import { followWithWorkspace } from "./merging/follow-base.ts";
import type { EngineParts } from "./parts.ts";
import { orderOfPasses, whyNoPass } from "./passes.ts";
import { noteTold, writePrompt } from "./prompting.ts";
import { acceptedBefore, beginCycleStage, withoutRefactoring } from "./tdd/cycle.ts";
import type { Gate } from "./tdd/gate.ts";
import type { RunObserver } from "./run-observer.ts";
import { stopReasonOf, type StopReason } from "./run-stop.ts";
import { findChange, putMaterial, type Change } from "./supervision/material.ts";
import type { RunWatch } from "./run-watch.ts";
import type { Verifier } from "./verification.ts";
import { whyNotYielded } from "./yields.ts";

export interface RunnerParts extends EngineParts {
  readonly verifier: Verifier;
  readonly gate: Gate;
  readonly agentFinder: AgentFinder;
  readonly budgets: Budgets;
  readonly watch: RunWatch;
  readonly hooks: HookIntake;
}

/**
 * Carries a claimed run from its workspace to its outcome. `adopted`: the agent of the run was started by an earlier
 * daemon and is alive or has ended by itself; then it goes on from there. Resolves when the run has ended, or when
 * `control` was aborted with `leave`: then the agent lives on and the run stays open for the next daemon.
 */
export async function carryRun(parts: RunnerParts, run: Run, adopted: boolean, control: AbortController): Promise<void> {
  const { signal } = control;
  let job: Job;
  try {
    job = openJob(parts, run);
  } catch (thrown) {
    await endRun(parts, run, { status: "failed", reason: "agent_missing", message: messageOf(thrown), proof: null, retryAt: null });
    return;
  }
  let outcome: RunOutcome;
  await using observed = observe(parts, job, control);
  try {
    outcome = await attempt(parts, job, adopted, control, observed);
  } catch (thrown) {
    const stop = stopReasonOf(signal);
    if (stop?.kind === "leave") return;
    outcome = stop ? outcomeOfStop(stop) : outcomeOfFailure(job, thrown);
  }
  await saveAndStop(parts, job, outcome);
  await observed[Symbol.asyncDispose]();
  await endGathered(parts, job, outcome);
}

/** Ends the run with what its task brings into the work of its parent; again, when another child was faster. */
async function endGathered(parts: RunnerParts, job: Job, outcome: RunOutcome): Promise<void> {
  for (let ended = false; !ended;) {
    const { outcome: end, gathering } = await gatherOutcome(parts, job, outcome);
    ended = await endRun(parts, job.run, end, gathering);
  }
}

/** What watches a run: its observer, and the spool of its hooks once there is an agent. */
interface Observed extends AsyncDisposable {
  readonly observer: RunObserver;
  /** The agent works from now on, and tells what it does. */
  readonly begin: () => void;
}

/** Until it is disposed of, which takes in what was told last; safe to do twice. */
function observe({ watch, hooks }: RunnerParts, job: Job, control: AbortController): Observed {
  const observer = watch.open(job, (reason) => control.abort(reason));
  const spool = hooks.openSpool(job.run);
  return {
    observer,
    begin: () => {
      spool.follow();
      observer.agentBegan();
    },
    async [Symbol.asyncDispose]() {
      await spool.finish();
      await watch.close(job.run.id);
    },
  };
}

async function attempt(
  parts: RunnerParts,
  job: Job,
  adopted: boolean,
  control: AbortController,
  { observer, begin }: Observed,
): Promise<RunOutcome> {
  const { signal } = control;
  using budget = parts.budgets.watch(job, adopted, (reason) => control.abort(reason));
  signal.throwIfAborted();
  const change = adopted ? null : await findChange(parts, job, signal);
  const workspace = await prepareWorkspace(parts, job, change, signal);
  observer.workIn(workspace.directory);
  if (!adopted) {
    const before = await checkFirst(parts, job, workspace, signal);
    if (before) return before;
    await startAgent(parts, job, workspace, change, signal);
  }
  begin();
  const onSeen = (observation: Observation) => {
    observer.see(observation);
    if (observation.kind === "turn_ended") budget.agentDone();
  };
  const turn = await followAgent(parts, job, onSeen, signal);
  budget.agentDone();
  await settleProcesses(parts, job);
  await parts.workspaces.checkpoint(job.project, job.task, "agent_ended", parts.clock.now());
  if (!turn.verdict.ok) {
    // An agent that held itself to its budget knows neither whose that was nor when there is a new one.
    const overspent = turn.verdict.reason === "budget" ? parts.budgets.overspent(job) : undefined;
    return { status: "failed", ...withoutOk(turn.verdict), ...overspent, proof: null };
  }
  return await verifyWork(parts, job, workspace, turn, signal);
}

/** Of somebody else's change nothing is run, so it is not set up either. */
async function prepareWorkspace(parts: RunnerParts, job: Job, change: Change | null, signal: AbortSignal): Promise<Workspace> {
  const base = change?.headCommit ?? (await baseFor(parts, job, signal));
  if (job.run.baseCommit === null) await followWithWorkspace(parts, job, base);
  const workspace = await parts.workspaces.open(job.project, job.task, base, signal);
  if (job.stage.material === "change") return workspace;
  if (workspace.fresh || !wasSetUp(parts, job)) await parts.verifier.setUp(job, workspace, "setup", signal);
  return workspace;
}

/** The commit to begin from. What its children came to is put into the workspace of a task that goes on behind them. */
async function baseFor(parts: RunnerParts, job: Job, signal: AbortSignal): Promise<string> {
  const { run, task, project, stage } = job;
  if (run.baseCommit !== null) return run.baseCommit;
  const start = await beginCycleStage(parts, job);
  if (start !== undefined) return start;
  const { reader } = parts.database;
  const gathered = findGathered(reader, task.id);
  if (gathered === undefined) return parentBase(reader, task) ?? (await fetchBase(parts, job, signal));
  if (!hasBegunAt(reader, task.id, stage.name)) {
    // What the stage before left in its workspace was not to be taken; it is saved all the same.
    await parts.workspaces.remove(project, task, parts.clock.now());
    await parts.branches.prepare(project, task, gathered, { onto: gathered.baseCommit, note: null });
  }
  return gathered.baseCommit;
}

/** Whether an earlier run got past its set-up; one that a crash cut short has to be done again. */
function wasSetUp(parts: RunnerParts, job: Job): boolean {
  if (job.run.progress !== "preparing") return true;
  return listRuns(parts.database.reader, { taskId: job.task.id, limit: 100 }).some((run) => run.progress !== "preparing");
}

async function fetchBase(parts: RunnerParts, job: Pick<Job, "project" | "config">, signal: AbortSignal): Promise<string> {
  const credentials = parts.forges[job.project.forge].credentials({ project: job.project, config: job.config });
  return parts.workspaces.fetchBase(job.project, credentials, signal);
}

async function startAgent(parts: RunnerParts, job: Job, workspace: Workspace, change: Change | null, signal: AbortSignal): Promise<void> {
  const { baseCommit } = workspace;
  await record(parts, job, { progress: "prompting", baseCommit }, [{ type: "run.progressed", data: { progress: "prompting" } }]);
  const material = await putMaterial(parts, job, workspace, change);
  const { text: prompt, messages } = await writePrompt(parts, job, workspace, material);
  const env = environmentOf(parts, job);
  const program = job.isolation.bringsAgent(job.config) ? [] : [await parts.agentFinder.find(job.driver, job.agent, env, signal)];
  const hooks = { spool: spoolOf(parts, job.run), url: `${parts.apiUrl()}/api/hooks/${job.run.id}`, token: parts.runToken(job.run) };
  const path = env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  const [gh, tools] = [ghOf(parts, job), toolsOf(parts, job)];
  const launch = job.driver.launch({
    agent: job.agent,
    prompt,
    workspace: workspace.directory,
    configDirectory: job.configDirectory,
    sessionId: job.run.resumesSessionId,
    hooks,
    toolServer: tools,
    budgetUsd: parts.budgets.leftFor(job),
    tools: job.stage.tools,
    sandbox: job.isolation.confines ? null : job.config.sandbox,
    path,
    env,
  });
  const command: HeldCommand = {
    directory: job.agentDirectory,
    argv: launch.argv,
    cwd: workspace.directory,
    env: { ...launch.env, ...gh.env(launch.env["PATH"] ?? path) },
    files: {
      // Makes the folder too, and says to a person who comes upon it what it is.
      [join(job.configDirectory, "README")]: `The agent's own configuration and sessions for ${job.task.key}.\n`,
      [join(job.directory, "prompt.md")]: prompt,
      ...hookProgram(hooks).files,
      ...gh.files,
      ...tools.files,
      ...launch.files,
    },
    stdin: launch.stdin,
    marker: job.run.id,
    shared: sharedProgram(parts, job, launch),
    limits: agentLimits(parts.settings.current(), job.config),
  };
  const reach = {
    files: launch.reach?.files ?? [],
    hosts: [...(launch.reach?.hosts ?? []), new URL(hooks.url).host],
    programs: [...program, ...tools.argv.slice(0, 2), ...(launch.reach?.programs ?? []), ...job.agent.command.filter(isAbsolute)],
  };
  const terminal = launch.terminal === true;
  if (job.agent.interactive && !terminal) {
    const message = `Agent ${job.run.agent} can't be interactive: its driver ${job.driver.name} has no form for that. Give the program to the driver command.`;
    throw new AppError("invalid", message, { reason: "agent_missing" });
  }
  // What a project's image is made from is never somebody else's change.
  const tree = { ...workspace, baseCommit: change?.baseCommit ?? baseCommit };
  const request = { command, configDirectory: job.configDirectory, reach, terminal, tree };
  const isolated = await isolate(parts, job, request, signal);
  signal.throwIfAborted();
  // Before the start, so that nobody is told twice; should it not come to that, they wait again (`endRun`).
  if (messages.length > 0) await record(parts, job, {}, [], (tx) => noteTold(tx, job, messages));
  const identity = await parts.host.start(isolated);
  await record(parts, job, { progress: "working", process: identity, progressAt: parts.clock.now() }, [
    { type: "run.agent_started", data: { pid: identity.pid } },
    { type: "run.progressed", data: { progress: "working" } },
  ]);
}

/** The agent host that a run has its seat in; undefined: it has that of a process. */
function sharedProgram({ database }: EngineParts, { run, task }: Job, { shared }: Launch): SharedProgram | undefined {
  if (!seatsOfRun(database.reader, run.id).includes(HOSTED_SEAT)) return undefined;
  if (shared) return shared;
  const message = `The settings of agent ${run.agent} changed while ${task.key} began: it can't share a program any more. It is started again.`;
  throw new AppError("unavailable", message);
}

/** The `gh` of a run's agent, which asks the broker. */
function ghOf(parts: EngineParts, job: Job): ReturnType<typeof ghProgram> {
  return ghProgram({ folder: join(job.configDirectory, "gh", job.run.id), ...placeOf(parts, job, "broker") });
}

/** Drover's own tools for a run's agent. */
function toolsOf(parts: EngineParts, job: Job): ToolServer {
  return toolServer(join(job.configDirectory, "tools", job.run.id), placeOf(parts, job, "tools"));
}

/** Where a run's agent reaches the daemon. */
function placeOf(parts: EngineParts, { run, configDirectory }: Job, what: "broker" | "tools"): RunPlace {
  const url = new URL(`/api/${what}/${run.id}`, parts.apiUrl());
  return { url: url.href, token: parts.runToken(run), reach: join(configDirectory, `${url.port}.sock`) };
}

/** Ends whatever the agent left behind, so that nothing changes the tree under the checks. */
async function settleProcesses(parts: RunnerParts, job: Job, graceMs = job.config.defaults.graceMs): Promise<void> {
  const left = await parts.host.stop(job.agentDirectory, { marker: job.run.id, graceMs });
  // To go on would let two agents work on one task. The run stays open; the next reconcile asks again.
  if (left.state === "unknown")
    throw new AppError("unavailable", `It can't be told whether the agent of ${job.task.key} has ended: ${left.message}`);
  await releaseIsolation(job, left.state === "absent");
}

/** What was never started cannot be at work, whatever its isolation has to say. */
async function releaseIsolation({ isolation, run, log }: Job, wasAbsent: boolean): Promise<void> {
  try {
    await isolation.release(run.id);
  } catch (thrown) {
    if (!wasAbsent) throw thrown;
    log.warn("the isolation of a run could not be asked to let go of it; the next sweep asks again", { error: messageOf(thrown) });
  }
}

async function verifyWork(parts: RunnerParts, job: Job, workspace: Workspace, turn: TurnEnd, signal: AbortSignal): Promise<RunOutcome> {
  if (job.stage.yields !== "commit") return outcomeOfWords(parts, job, turn.report);
  const work = await parts.workspaces.collect(job.project, job.task, workspace.baseCommit, commitMessage(job));
  if (!work.changed) return { status: "no_change", report: turn.report };
  await record(parts, job, { progress: "verifying", progressAt: parts.clock.now() }, [
    { type: "run.progressed", data: { progress: "verifying" } },
  ]);
  const gate = await askGate(parts, job, workspace, work, signal);
  // Checks of what the gate refuses would only take time.
  const checks = gate?.accepted === false ? [] : await checksOf(parts, job, workspace, work, signal);
  const proof = { ...proofOf(workspace, work, checks), ...(gate && { gate }) };
  const failing = failingChecks(checks, job.stage);
  if (failing.length === 0 && gate?.accepted !== false) return { status: "succeeded", proof, report: turn.report };
  const message = gate?.accepted === false ? describeFindings(gate) : describeFailing(failing);
  const accepted = acceptedBefore(parts, job).at(-1);
  if (job.stage.gate === "refactor" && accepted && isLastAttempt(job)) return withoutRefactoring(accepted, proof, message);
  return { status: "failed", reason: "check_failed", message, proof, report: turn.report, retryAt: null };
}

function checksOf({ verifier }: RunnerParts, job: Job, workspace: Workspace, { headCommit }: CollectedWork, signal: AbortSignal) {
  if (!job.stage.cleanChecks) return verifier.verify(job, workspace, signal);
  return verifier.compareCommits(job, { base: workspace.baseCommit, head: headCommit }, signal);
}

/** What the gate of the stage says of the work; undefined: it has none. */
async function askGate(
  parts: RunnerParts,
  job: Job,
  { baseCommit }: Workspace,
  { headCommit }: CollectedWork,
  signal: AbortSignal,
): Promise<GateEvidence | undefined> {
  const { gate } = job.stage;
  if (gate === null) return undefined;
  return parts.gate.judge(job, { gate, baseCommit, headCommit, accepted: acceptedBefore(parts, job) }, signal);
}

/** Whether no other attempt at the stage would follow a failure. */
function isLastAttempt({ task, run, stage }: Job): boolean {
  return run.attempt >= Math.min(task.attemptMax, stage.limits.attempts ?? Infinity);
}

/** Whether the work is good as it is, where the stage asks for that first; undefined: an agent is needed. */
async function checkFirst(parts: RunnerParts, job: Job, workspace: Workspace, signal: AbortSignal): Promise<RunOutcome | undefined> {
  if (!job.stage.checkFirst || job.run.iteration > 1 || job.run.resumesSessionId !== null) return undefined;
  // Both sides of a conflict are in its files, and somebody has to choose.
  if (workspace.conflicts.length > 0) return undefined;
  if (job.stage.pass !== null) return orderFirst(parts, job);
  const outcome = await verifyWork(parts, job, workspace, { verdict: { ok: true }, report: reportOfCycle(parts, job) }, signal);
  return outcome.status === "succeeded" ? outcome : undefined;
}

/** Where no agent is needed, nobody says what was done but those of the stages before. */
function reportOfCycle({ database }: EngineParts, { task, workflow }: Job): string {
  const reports = stageReports(database.reader, task.id);
  const said = workflow.stages.flatMap(({ name, gate }) => (gate !== null && reports[name] ? [`**${name}**: ${reports[name]}`] : []));
  return said.length > 0 ? said.join("\n\n") : "All checks pass on what was there.";
}

/** The same of the last pass of a decomposition. */
function orderFirst(parts: EngineParts, { stage, task }: Job): RunOutcome | undefined {
  refuseUnfit(parts, task, stage);
  return stage.pass === "order" ? orderOfPasses(parts.database.reader, task) : undefined;
}

/** Of a stage that changes nothing itself. What its report is to say must be there. */
function outcomeOfWords(parts: EngineParts, { stage, task }: Job, report: string): RunOutcome {
  refuseUnfit(parts, task, stage);
  const problem = stage.pass === null ? whyNotYielded(stage, report) : whyNoPass(parts.database.reader, task, stage.pass, report);
  if (problem === undefined) return { status: "no_change", report };
  return { status: "failed", reason: "check_failed", message: problem, proof: null, report, retryAt: null };
}

function proofOf(workspace: Workspace, work: CollectedWork, checks: CheckComparison[]): Proof {
  return { baseCommit: workspace.baseCommit, headCommit: work.headCommit, tree: work.tree, changes: work.changes, checks };
}

/** The title is text from outside: a "fixes #3" in it must not close anything when the commit is merged. */
function commitMessage(job: Job): string {
  return `${quietTitle(job.task.title)}\n\nTask: ${job.task.key}\n`;
}

function describeFindings({ gate, findings }: GateEvidence): string {
  return `The gate ${gate} refuses it: ${findings.map(({ rule, message }) => `${rule}: ${message}`).join("; ")}`;
}

/** Says what fails, as a sentence. A loop's checks may have failed on the base too. */
function describeFailing(failing: readonly CheckComparison[]): string {
  return failing
    .map(({ name, command, verdict, newFailures, head }) => {
      const failures = newFailures.length > 0 ? newFailures : head.failures;
      const names = failures.length > 0 ? `: ${failures.slice(0, 10).join(", ")}` : "";
      return `${name} (${command}) fails${verdict === "broken" ? " where the base does not" : ""}${names}`;
    })
    .join("; ");
}

/** Saves the work, ends every process of the run, and saves what they did to the last. */
async function saveAndStop(parts: RunnerParts, job: Job, outcome: RunOutcome): Promise<void> {
  const reason = outcome.status === "failed" ? outcome.reason : outcome.status;
  // What takes more of the machine than it may would go on taking while its work is saved.
  if (reason === "memory" || reason === "processes") await settleProcesses(parts, job, 0);
  await save(parts, job, reason);
  await settleProcesses(parts, job);
  await save(parts, job, reason);
}

async function save(parts: RunnerParts, job: Job, reason: string): Promise<void> {
  try {
    await parts.workspaces.checkpoint(job.project, job.task, reason, parts.clock.now());
  } catch (thrown) {
    // The run must end all the same. Nothing is lost: a workspace that can't be saved is never removed.
    const message = `The work of ${job.task.key} could not be saved: ${messageOf(thrown)} Its workspace is kept.`;
    job.log.error("work not saved", { error: messageOf(thrown) });
    await parts.database.write((tx) =>
      raiseAlert(tx, { kind: "work_not_saved", subject: job.task.key, message, projectId: job.project.id, taskId: job.task.id }),
    );
  }
}

function outcomeOfStop(stop: Exclude<StopReason, { kind: "leave" }>): RunOutcome {
  switch (stop.kind) {
    case "kill":
      return { status: "cancelled", by: "shutdown", message: "The daemon was stopped; the work is saved and goes on with the next start." };
    case "cancel":
      return { status: "cancelled", by: stop.by, message: stop.message };
    case "limit":
      return { status: "failed", reason: stop.reason, message: stop.message, proof: null, retryAt: stop.retryAt ?? null };
  }
}

function outcomeOfFailure(job: Job, thrown: unknown): RunOutcome {
  const error = toAppError(thrown);
  if (error.code === "internal") job.log.error("run failed by a fault of ours", { error: error.message, stack: error.stack });
  return { status: "failed", reason: failureReasonOf(error), message: error.message, proof: null, retryAt: null };
}

function failureReasonOf(error: AppError): FailureReason {
  const named = FailureReason.safeParse(error.details["reason"]);
  if (named.success) return named.data;
  if (error.code === "unavailable") return "unreachable";
  return error.code === "internal" ? "agent_error" : "workspace_failed";
}

function withoutOk(verdict: Extract<TurnEnd["verdict"], { ok: false }>) {
  return { reason: verdict.reason, message: verdict.message, retryAt: verdict.retryAt };
}
