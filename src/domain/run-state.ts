import type { RunState, RunStateName } from "../contract/run.ts";
import { lastSignAt, type RunFacts, type Waits } from "./run-facts.ts";

export interface StateLimits {
  /** Without any sign of work for half of this a run counts as stuck; after all of it, it is to be ended. Milliseconds. */
  readonly silenceMs: number;
  /** The same actions, so many times in a row, count as stuck. */
  readonly repeatMax: number;
}

/** What to do about a stuck run: tell it once, then end it. */
export type Remedy = { readonly do: "nothing" } | { readonly do: "nudge" | "stop"; readonly why: string };

/** Tools that ask a person something, where others ask to be allowed. */
const ASKING_TOOLS = /^(?:AskUserQuestion|ExitPlanMode|ask_user|ask_user_question|question|elicitation|human|person)$/iu;
/** The longest round of actions that is looked for: write, test, write, test ... */
const ROUND_MAX = 3;

/** From the moment an agent says which tool it calls until we have read it. */
const READ_WITHIN_MS = 250;

type Conclusion = Omit<RunState, "since"> & { readonly since: number | null };

/**
 * What a run is doing by all that is known of it now. The weightier fact wins: the end of its process, what it says that it
 * waits for, then the signs of work. `before` is what was concluded last: a state that goes on keeps its beginning.
 */
export function deriveState(facts: RunFacts, limits: StateLimits, now: number, before: RunState | null = null): RunState {
  const concluded =
    ofEnd(facts) ??
    ofOwnWork(facts) ??
    ofWaiting(facts) ??
    ofProvider(facts, limits, now) ??
    ofRepetition(facts, limits) ??
    ofSigns(facts, limits, now);
  const { state, confidence, evidence } = concluded;
  const since = concluded.since ?? (before?.state === state ? before.since : now);
  return { state, since, confidence: Math.round(confidence * 100) / 100, evidence };
}

export function remedyFor(state: RunState, facts: RunFacts, { silenceMs }: StateLimits, now: number): Remedy {
  if (state.state !== "stuck") return { do: "nothing" };
  const why = state.evidence.join("; ");
  const quietMs = now - lastSignAt(facts);
  if (quietMs >= silenceMs) return { do: "stop", why };
  if (facts.nudgedAt === null) return { do: "nudge", why };
  // Silent, and told so: it has until its time is up. What goes on with the same was told too, and did not listen.
  return quietMs >= silenceMs / 2 ? { do: "nothing" } : { do: "stop", why };
}

/** When the state may be another by nothing but the passing of time; undefined: never. */
export function nextLookAt(facts: RunFacts, { silenceMs }: StateLimits, now: number): number | undefined {
  if (facts.ended || facts.ownWork || facts.questions.length > 0) return undefined;
  const quietFrom = lastSignAt(facts);
  return [quietFrom + silenceMs / 2, quietFrom + silenceMs].map(Math.ceil).find((at) => at > now);
}

function ofEnd({ ended, turnEnded }: RunFacts): Conclusion | undefined {
  if (!ended) return undefined;
  const { at: since, reason, exitCode } = ended;
  const how = exitCode === null ? "its process was ended by a signal" : `its process ended with exit code ${exitCode}`;
  if (reason === "completed") return { state: "finished", since, confidence: 1, evidence: [how, "its last word was that it is done"] };
  const provider = providerState(reason);
  if (provider)
    return {
      state: provider,
      since,
      confidence: 1,
      evidence: [`it ended with ${reason}${turnEnded ? `: ${turnEnded.message}` : ""}`, how],
    };
  if (turnEnded === null || reason === "lost" || reason === "host_lost")
    return { state: "crashed", since, confidence: 1, evidence: [how, "it gave no last word"] };
  return { state: "finished", since, confidence: 0.9, evidence: [how, `its last word was a failure (${reason}): ${turnEnded.message}`] };
}

function ofOwnWork({ ownWork }: RunFacts): Conclusion | undefined {
  return ownWork ? { state: "running", since: null, confidence: 1, evidence: [`Drover runs ${ownWork.what}`] } : undefined;
}

function ofWaiting({ questions, hookWaits, signs }: RunFacts): Conclusion | undefined {
  const question = questions[0];
  if (question) {
    const waits: Waits = ASKING_TOOLS.test(question.tool) ? "answer" : "permission";
    const what = waits === "answer" ? `it asks by ${question.tool}` : `it asks to use ${question.tool}`;
    return {
      state: waitingState(waits),
      since: question.since,
      confidence: 1,
      evidence: [what],
    };
  }
  // Where the agent prints what it does, a hook may be taken in later than the line that makes it out of date.
  if (hookWaits === null || signs.output !== null) return undefined;
  const { what, since } = hookWaits;
  return {
    state: waitingState(what),
    since,
    confidence: 0.8,
    evidence: [`its hook said that it waits for ${what === "answer" ? "an answer" : "a permission"}`],
  };
}

function waitingState(waits: Waits): RunStateName {
  return waits === "answer" ? "waiting_answer" : "waiting_permission";
}

function ofProvider({ retrying, turnEnded }: RunFacts, { silenceMs }: StateLimits, now: number): Conclusion | undefined {
  const limited = turnEnded && providerState(turnEnded.reason);
  if (turnEnded && limited) {
    const until = turnEnded.retryAt === null ? [] : [`its provider serves again at ${new Date(turnEnded.retryAt).toISOString()}`];
    return { state: limited, since: turnEnded.at, confidence: 0.95, evidence: [turnEnded.message, ...until] };
  }
  // Longer than any wait between two tries: it does not try any more.
  if (!retrying || now - retrying.last >= silenceMs / 2) return undefined;
  const isTold = /\b(?:429|529|overload\w*|rate.?limit\w*|quota)\b/iu.test(retrying.message);
  const evidence = [`it tries again, time ${retrying.attempt}: ${retrying.message}`];
  return { state: "rate_limited", since: retrying.since, confidence: isTold ? 0.95 : 0.6, evidence };
}

function providerState(reason: string): "usage_limit" | "rate_limited" | undefined {
  if (reason === "usage_limit") return "usage_limit";
  return reason === "overloaded" ? "rate_limited" : undefined;
}

function ofRepetition({ actions, turnEnded }: RunFacts, { repeatMax }: StateLimits): Conclusion | undefined {
  if (turnEnded) return undefined;
  for (let length = 1; length <= ROUND_MAX; length += 1) {
    const first = actions.at(-length * repeatMax);
    if (!first || !isRepeated(actions.slice(-length * repeatMax), length)) continue;
    const round = actions.slice(-length).map(({ text }) => cut(text));
    return {
      state: "stuck",
      since: first.at,
      confidence: 0.8,
      evidence: [`it did the same ${repeatMax} times in a row: ${round.join(", then ")}`],
    };
  }
  return undefined;
}

function isRepeated(actions: RunFacts["actions"], length: number): boolean {
  return actions.every(({ text }, index) => index < length || text === actions[index - length]?.text);
}

function ofSigns(facts: RunFacts, { silenceMs }: StateLimits, now: number): Conclusion {
  const quietFrom = lastSignAt(facts);
  const quietMs = Math.max(0, now - quietFrom);
  const quiet = quietMs / silenceMs;
  const command = livingCommand(facts);
  if (quiet < 0.5) return { state: "running", since: null, confidence: 1 - quiet, evidence: [latestSign(facts, now)] };
  if (command) {
    const evidence = [`${command.what} has a living process, for ${lasting(now - command.since)}`, latestSign(facts, now)];
    return { state: "running", since: null, confidence: 0.8, evidence };
  }
  const waiting = [...facts.openTools.values()].map(({ tool, since }) => `${tool} has not answered for ${lasting(now - since)}`);
  const evidence = [`no output, hook, processor time or changed file for ${lasting(quietMs)}`, ...waiting];
  return { state: "stuck", since: quietFrom, confidence: Math.min(1, quiet), evidence };
}

/**
 * A process that the agent started and waits for: a long test, say. It came up after the call of a tool that has not answered
 * yet, or, for some agents tell of a tool only when it is over, after the last that the agent said. The agent itself and its
 * helpers are older.
 */
function livingCommand({ openTools, signs, startedAts, firstSaidAt }: RunFacts): { what: string; since: number } | undefined {
  if (firstSaidAt === null) return undefined;
  const hasOneSince = (since: number) => startedAts.some((each) => each > firstSaidAt && each >= since - READ_WITHIN_MS);
  const tool = [...openTools.values()].find(({ since }) => hasOneSince(since));
  if (tool) return { what: tool.tool, since: tool.since };
  const lastSaidAt = Math.max(firstSaidAt, signs.output ?? 0, signs.hook ?? 0);
  return hasOneSince(lastSaidAt) ? { what: "what it does", since: lastSaidAt } : undefined;
}

function latestSign({ signs, startedAt, busyShare }: RunFacts, now: number): string {
  const told = { output: "output", hook: "a hook", cpu: `${Math.round(busyShare * 100)} % of a processor`, files: "a changed file" };
  const latest = (Object.keys(told) as (keyof typeof told)[])
    .filter((sign) => signs[sign] !== null)
    .toSorted((one, other) => (signs[other] ?? 0) - (signs[one] ?? 0))[0];
  if (latest === undefined) return `started ${lasting(now - startedAt)} ago`;
  return `${told[latest]} ${lasting(now - (signs[latest] ?? now))} ago`;
}

function lasting(ms: number): string {
  return ms < 120_000 ? `${Math.max(0, Math.round(ms / 1000))} s` : `${Math.round(ms / 60_000)} min`;
}

function cut(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
