import { safeLine, safeText } from "../base/text.ts";
import type { Event } from "../contract/event.ts";
import type { Proof } from "../contract/proof.ts";
import type { RunOutcome } from "../contract/run.ts";

const LINE_MAX = 100;

/** What an event of the demo's task says to somebody who watches; undefined: nothing that they would miss. */
export function describeEvent(event: Event): string | undefined {
  switch (event.type) {
    case "task.created":
      return `issue taken in as ${event.data.key}: ${safeLine(event.data.title, LINE_MAX)}`;
    case "run.started":
      return `attempt ${event.data.attempt} started on worker ${event.data.worker}`;
    case "run.progressed":
      return progressLines[event.data.progress];
    case "run.agent_started":
      return `agent started (pid ${event.data.pid})`;
    case "run.message":
      return `agent: ${safeLine(event.data.text, LINE_MAX)}`;
    case "run.tool_called":
      return `agent uses ${safeLine(event.data.tool, 30)}: ${describeInput(event.data.input)}`;
    case "run.check_finished":
      return `check "${safeLine(event.data.name, 60)}" on the ${trees[event.data.tree]}: ${event.data.exitCode === 0 ? "passes" : "fails"}`;
    case "run.ended":
      return describeOutcome(event.data.outcome);
    case "effect.done":
      return effectLines[event.data.kind];
    case "effect.failed":
      return `could not carry out ${event.data.kind}: ${safeLine(event.data.message, LINE_MAX)}`;
    default:
      return undefined;
  }
}

const trees = { base: "base", head: "result" } as const;
const progressLines = {
  preparing: undefined,
  prompting: "workspace ready: a clone of its own, on a branch of its own",
  working: undefined,
  verifying: "verifying: the checks run on the base and on the result",
} as const;
const effectLines: Readonly<Record<string, string>> = {
  push: "branch pushed",
  pull_request: "pull request opened",
  comment: "issue commented",
};

function describeOutcome(outcome: RunOutcome): string {
  if (outcome.status === "succeeded") return "verified: done";
  if (outcome.status === "no_change") return "ended without a change";
  return `${outcome.status}: ${safeLine(outcome.message, LINE_MAX)}`;
}

/** The part of a tool's input that says most: the command it runs or the file it writes, as Drover's agent and Claude Code name them. */
function describeInput(input: string): string {
  try {
    const { argv, path, command, file_path: file } = JSON.parse(input) as Record<string, unknown>;
    const telling = Array.isArray(argv) ? argv.join(" ") : (path ?? command ?? file);
    if (typeof telling === "string") return safeLine(telling, LINE_MAX);
  } catch {
    // Cut to its length limit, or no JSON: shown as it is.
  }
  return safeLine(input, LINE_MAX);
}

/** The proof as a person reads it, a line a check. */
export function describeProof(proof: Proof): string[] {
  return proof.checks.map(
    ({ command, base, head, verdict }) =>
      `  ${safeText(command)}: exit ${base.exitCode} on the base, exit ${head.exitCode} on the result: ${verdict}`,
  );
}
