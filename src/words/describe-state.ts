import type { RunState, RunStateName } from "../contract/run.ts";
import { inOneUnit } from "./format.ts";
import { painted, show, type Paint, type Shown } from "./shown.ts";

const paints: Readonly<Record<RunStateName, Paint>> = {
  running: "cyan",
  waiting_permission: "yellow",
  waiting_answer: "yellow",
  usage_limit: "yellow",
  rate_limited: "yellow",
  stuck: "red",
  finished: "green",
  crashed: "red",
};

/** `waiting permission`; `-` where nothing is known. */
export function stateName(state: RunState | null): Shown {
  return state === null ? show`-` : show`${painted(paints[state.state], state.state.replace("_", " "))}`;
}

/** The same with since when, how sure it is, and by what. */
export function describeState(state: RunState, now: number): Shown {
  const sure = `${Math.round(state.confidence * 100)} %`;
  return show`${stateName(state)} for ${inOneUnit(Math.max(0, now - state.since))}, ${sure} sure: ${state.evidence.join("; ")}`;
}
