import type { HookCategory } from "../contract/hook.ts";
import type { FailureReason } from "../contract/run.ts";

/** Something that was seen of a run, at a time. Whatever is known of a run's state is folded from these. */
export type Observation = { readonly at: number } & (
  | { readonly kind: "output" }
  | { readonly kind: "tool_called"; readonly id: string; readonly tool: string; readonly input: string }
  | { readonly kind: "tool_finished"; readonly id: string }
  | { readonly kind: "question_asked"; readonly id: string; readonly tool: string }
  | { readonly kind: "question_answered"; readonly id: string }
  /** The agent tries a request to its provider again by itself. */
  | { readonly kind: "retrying"; readonly attempt: number; readonly message: string }
  /** The agent's last word on its turn. */
  | { readonly kind: "turn_ended"; readonly reason: "completed" | FailureReason; readonly message: string; readonly retryAt: number | null }
  /** `waits`: what the hook says that the agent waits for. */
  | { readonly kind: "hook"; readonly category: HookCategory; readonly name: string; readonly waits: Waits | null }
  /** A look at its processes: what share of one processor they used since the last look, and when each that lives was started. */
  | { readonly kind: "look"; readonly busyShare: number; readonly startedAts: readonly number[] }
  /** Something in its workspace changed at `changedAt`. */
  | { readonly kind: "files"; readonly changedAt: number }
  /** Commands of ours run in its place: the set-up, the checks; null: no longer. */
  | { readonly kind: "own_work"; readonly what: string | null }
  | { readonly kind: "nudged" }
  /** Its process is gone. `exitCode` is null after a signal. */
  | { readonly kind: "ended"; readonly reason: "completed" | FailureReason; readonly exitCode: number | null }
);

/** What a person is to give. */
export type Waits = "permission" | "answer";

/** The last time that something showed it at work; null: never. */
export interface Signs {
  readonly output: number | null;
  readonly hook: number | null;
  readonly cpu: number | null;
  readonly files: number | null;
}

export interface RunFacts {
  readonly startedAt: number;
  readonly signs: Signs;
  /** When the agent first said or told something: what was started before is the agent itself. Null: not yet. */
  readonly firstSaidAt: number | null;
  /** The tools that were called and have not answered, by id. */
  readonly openTools: ReadonlyMap<string, { readonly tool: string; readonly since: number }>;
  readonly questions: readonly { readonly id: string; readonly tool: string; readonly since: number }[];
  /** What its latest hook said that it waits for. */
  readonly hookWaits: { readonly what: Waits; readonly since: number } | null;
  readonly retrying: { readonly since: number; readonly last: number; readonly attempt: number; readonly message: string } | null;
  readonly turnEnded: Extract<Observation, { kind: "turn_ended" }> | null;
  readonly ended: Extract<Observation, { kind: "ended" }> | null;
  /** Its latest tool calls, tool and input, the newest last. */
  readonly actions: readonly { readonly text: string; readonly at: number }[];
  readonly busyShare: number;
  /** When each of its living processes was started, as of the last look. */
  readonly startedAts: readonly number[];
  readonly ownWork: { readonly what: string; readonly since: number } | null;
  readonly nudgedAt: number | null;
}

/** An agent that waits uses a few milliseconds a second for its timers; one that works, or whose command does, far more. */
const BUSY_SHARE = 0.05;
/** As many tool calls are remembered as the longest repetition that is looked for takes. */
const ACTIONS_MAX = 300;

export function newFacts(startedAt: number): RunFacts {
  return {
    startedAt,
    signs: { output: null, hook: null, cpu: null, files: null },
    firstSaidAt: null,
    openTools: new Map(),
    questions: [],
    hookWaits: null,
    retrying: null,
    turnEnded: null,
    ended: null,
    actions: [],
    busyShare: 0,
    startedAts: [],
    ownWork: null,
    nudgedAt: null,
  };
}

/** The facts with one observation more. Observations of one source come in the order of their times; those of several may not. */
export function observe(facts: RunFacts, seen: Observation): RunFacts {
  const { at } = seen;
  switch (seen.kind) {
    case "output":
      return withSign(facts, "output", at);
    case "tool_called":
      return {
        ...atWork(facts, at),
        openTools: new Map(facts.openTools).set(seen.id, { tool: seen.tool, since: at }),
        actions: [...facts.actions, { text: `${seen.tool} ${seen.input}`, at }].slice(-ACTIONS_MAX),
      };
    case "tool_finished": {
      const openTools = new Map(facts.openTools);
      openTools.delete(seen.id);
      return { ...atWork(facts, at), openTools };
    }
    case "question_asked":
      return {
        ...withSign(facts, "output", at),
        questions: [...facts.questions.filter(({ id }) => id !== seen.id), { id: seen.id, tool: seen.tool, since: at }],
      };
    case "question_answered":
      return { ...withSign(facts, "output", at), questions: facts.questions.filter(({ id }) => id !== seen.id) };
    case "retrying": {
      const { attempt, message } = seen;
      return { ...withSign(facts, "output", at), retrying: { since: facts.retrying?.since ?? at, last: at, attempt, message } };
    }
    case "turn_ended":
      return { ...atWork(facts, at), turnEnded: seen, questions: [], openTools: new Map() };
    case "hook":
      return { ...withSign(facts, "hook", at), hookWaits: seen.waits === null ? null : { what: seen.waits, since: at } };
    case "look":
      return withLook(facts, seen);
    case "files":
      return withSign(facts, "files", seen.changedAt);
    case "own_work": {
      // The agent has said nothing by that.
      const { firstSaidAt } = facts;
      return { ...withSign(facts, "output", at), firstSaidAt, ownWork: seen.what === null ? null : { what: seen.what, since: at } };
    }
    case "nudged":
      return { ...facts, nudgedAt: at, actions: [] };
    case "ended":
      return { ...facts, ended: seen, questions: [], openTools: new Map(), startedAts: [] };
  }
}

/** When it last showed that it works. */
export function lastSignAt({ startedAt, signs }: RunFacts): number {
  return Math.max(startedAt, ...Object.values(signs).filter((at: number | null) => at !== null));
}

/** It goes on, so its provider serves it again. */
function atWork(facts: RunFacts, at: number): RunFacts {
  return { ...withSign(facts, "output", at), retrying: null };
}

function withSign(facts: RunFacts, sign: keyof Signs, at: number): RunFacts {
  const firstSaidAt = facts.firstSaidAt ?? (sign === "output" || sign === "hook" ? at : null);
  return { ...facts, firstSaidAt, signs: { ...facts.signs, [sign]: Math.max(facts.signs[sign] ?? 0, at) } };
}

function withLook(facts: RunFacts, { at, busyShare, startedAts }: Extract<Observation, { kind: "look" }>): RunFacts {
  const looked = { ...facts, busyShare, startedAts };
  return busyShare >= BUSY_SHARE ? withSign(looked, "cpu", at) : looked;
}
