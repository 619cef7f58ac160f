import { callRunTool } from "../../client/run-client.ts";
import { RunToolCall, runTools as known, type RunPlace } from "../../contract/run-tools.ts";
import type { Tool } from "./tool.ts";

/** Drover's tools for the agent of a run: messages to others, a note, a draft of a task. They have the run's token, and no command has. */
export function runTools(place: RunPlace): Tool[] {
  return Object.entries(known).map(([name, { description, input }]) => ({
    name,
    description,
    input,
    run: (given, _context, signal) => callRunTool(place, RunToolCall.parse({ tool: name, input: given }), signal),
  }));
}
