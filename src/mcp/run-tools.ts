import { callRunTool } from "../client/run-client.ts";
import { RunToolCall, runTools, type RunPlace } from "../contract/run-tools.ts";
import type { ServedTool } from "./serve.ts";

/** The tools of Drover's that the agent of a run has. */
export function runToolsAt(place: RunPlace): ServedTool[] {
  return Object.entries(runTools).map(([name, { description, input }]) => ({
    name,
    description,
    input,
    run: (given, signal) => callRunTool(place, RunToolCall.parse({ tool: name, input: given }), signal),
  }));
}
