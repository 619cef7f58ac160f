import type { Card } from "../../contract/board.ts";
import type { CircuitState } from "../../contract/circuit.ts";
import type { CheckVerdict } from "../../contract/proof.ts";
import type { RunOutcome, RunStateName } from "../../contract/run.ts";
import type { TaskStatus } from "../../contract/task.ts";

/** What a colour means; the word beside it always says the same. */
export type Tone = "good" | "busy" | "warn" | "bad" | "muted";

const tones: Readonly<Record<Tone, string>> = {
  good: "text-good",
  busy: "text-busy",
  warn: "text-warn",
  bad: "text-bad",
  muted: "text-muted",
};

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full border border-line bg-panel px-2 text-xs font-medium whitespace-nowrap ${tones[tone]}`}
    >
      <span aria-hidden="true" className="size-1.5 rounded-full bg-current" />
      {children}
    </span>
  );
}

const statusTones: Readonly<Record<TaskStatus, Tone>> = {
  draft: "muted",
  queued: "muted",
  running: "busy",
  waiting: "muted",
  blocked: "warn",
  succeeded: "good",
  failed: "bad",
  cancelled: "muted",
};

export function StatusBadge({ status, reason }: Pick<Card, "status" | "reason">) {
  return <Badge tone={statusTones[status]}>{reason === null ? status : `${status}: ${words(reason)}`}</Badge>;
}

const stateTones: Readonly<Record<RunStateName, Tone>> = {
  running: "busy",
  waiting_permission: "warn",
  waiting_answer: "warn",
  usage_limit: "warn",
  rate_limited: "warn",
  stuck: "bad",
  finished: "good",
  crashed: "bad",
};

export function StateBadge({ state }: { readonly state: RunStateName }) {
  return <Badge tone={stateTones[state]}>{words(state)}</Badge>;
}

const circuitTones: Readonly<Record<CircuitState, Tone>> = { closed: "good", half_open: "warn", open: "bad" };

export function CircuitBadge({ state }: { readonly state: CircuitState }) {
  return <Badge tone={circuitTones[state]}>{words(state)}</Badge>;
}

const outcomeTones: Readonly<Record<RunOutcome["status"], Tone>> = {
  succeeded: "good",
  no_change: "muted",
  failed: "bad",
  cancelled: "muted",
};

export function OutcomeBadge({ outcome }: { readonly outcome: RunOutcome }) {
  const text = outcome.status === "failed" ? `failed: ${words(outcome.reason)}` : words(outcome.status);
  return <Badge tone={outcomeTones[outcome.status]}>{text}</Badge>;
}

const verdictTones: Readonly<Record<CheckVerdict, Tone>> = { passed: "good", fixed: "good", known_failure: "warn", broken: "bad" };

export function VerdictBadge({ verdict }: { readonly verdict: CheckVerdict }) {
  return <Badge tone={verdictTones[verdict]}>{words(verdict)}</Badge>;
}

/** `half_open` as people read it. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}
