import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunPlace } from "../contract/run-tools.ts";

const PROGRAM = fileURLToPath(new URL("../mcp/main.ts", import.meta.url));

/** Longer than any of Drover's tools takes, milliseconds: an agent that asks another waits for the answer. */
export const TOOL_TIMEOUT_MS = 330_000;

/** Drover's own tools for the agent of a run. */
export interface ToolServer {
  /** Starts them as an MCP server on stdin and stdout. */
  readonly argv: readonly [string, string, string];
  /** What they call; an agent of ours does that itself. */
  readonly place: RunPlace;
  /** What has to be written before. */
  readonly files: Readonly<Record<string, string>>;
}

/** @param folder a folder of the run's own. */
export function toolServer(folder: string, place: RunPlace): ToolServer {
  const file = join(folder, "place.json");
  return { argv: [process.execPath, PROGRAM, file], place, files: { [file]: JSON.stringify(place) } };
}

/** The same in the form that several agents have for it: a list of servers by name. */
export function serverEntry({ argv: [command, ...args] }: ToolServer): { drover: { command: string; args: string[] } } {
  return { drover: { command, args } };
}
