import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { AgentLine, agentLineTypes } from "../contract/agent-line.ts";
import type { AgentConfig } from "../contract/config.ts";
import { complaintOf, cutReport, cutText, inputText, toLine } from "./agent-text.ts";
import type { AgentEvent, AgentVerdict, Detection, Driver, Launch, LaunchRequest, OutputReader } from "./driver.ts";
import { findProgram } from "./program.ts";

/** Any program as an agent, over the line protocol of docs/guides/command-agent.md. */
export const commandDriver: Driver = {
  name: "command",
  detect,
  launch: (request) => (request.agent.interactive ? atTerminal(request) : launchLines(request)),
  openReader: () => new CommandReader(),
  answer: ({ id }, { allow, message }) => (id === AT_TERMINAL ? null : toLine({ type: "answer", id, allow, message })),
};

/** The question of a program that a person talks to at its own terminal, and nowhere else. */
const AT_TERMINAL = "drover-terminal";

/**
 * Tells that a person is needed, and that it is done when the program says so by its exit status: what is on the screen is not
 * read. Keys like Ctrl-C are the program's.
 */
const TALK = `trap : INT QUIT TERM
printf '%s\\n' "$1" >&3; shift
"$@" 3>&- && printf '%s\\n' '${JSON.stringify({ type: "turn_ended", verdict: { ok: true } })}' >&3`;

function atTerminal(request: LaunchRequest): Launch {
  const lines = launchLines(request);
  const todo = "It is at a terminal of its own: drover agent attach. It is done when its program ends with 0.";
  const question = toLine({ type: "question_asked", id: AT_TERMINAL, tool: "person", input: { todo } });
  return { ...lines, argv: ["/bin/sh", "-c", TALK, "drover-terminal", question.trimEnd(), ...lines.argv], stdin: "", terminal: true };
}

/** How a program is started that says and is told lines. */
export function launchLines({ agent, prompt, configDirectory, sessionId, hooks, toolServer, path, env }: LaunchRequest): Launch {
  const promptFile = join(configDirectory, "prompt.md");
  return {
    argv: [programOf(agent), ...agent.command.slice(1), ...agent.args],
    env: {
      ...env,
      PATH: path,
      DROVER_PROMPT_FILE: promptFile,
      DROVER_CONFIG_DIRECTORY: configDirectory,
      DROVER_PERMISSIONS: agent.permissions,
      ...(hooks && { DROVER_HOOK_SPOOL: hooks.spool, DROVER_HOOK_URL: hooks.url, DROVER_HOOK_TOKEN: hooks.token }),
      ...(toolServer && { DROVER_TOOL_SERVER: JSON.stringify(toolServer.argv) }),
      ...(agent.model === null ? {} : { DROVER_MODEL: agent.model }),
      ...(agent.effort === null ? {} : { DROVER_EFFORT: agent.effort }),
      ...(sessionId === null ? {} : { DROVER_SESSION_ID: sessionId }),
    },
    files: { [promptFile]: prompt },
    stdin: toLine({ type: "prompt", prompt }),
  };
}

/** Throws `invalid` for an agent without one. */
export function programOf({ driver, command: [program] }: AgentConfig): string {
  if (program === undefined)
    throw new AppError("invalid", `An agent with the driver \`${driver}\` needs \`command\`: the program to run and its arguments.`);
  return program;
}

async function detect(agent: LaunchRequest["agent"], env: Readonly<Record<string, string>>): Promise<Detection> {
  const name = programOf(agent);
  const program = await findProgram(name, env["PATH"] ?? "");
  if (program === undefined) return { found: false, message: `There is no program ${name}. Install it or correct the agent's command.` };
  return { found: true, program, version: "unknown", loggedIn: null };
}

class CommandReader implements OutputReader {
  #lastMessage = "";
  #end: { verdict: AgentVerdict; report: string } | undefined;
  /** A line that was meant for us but is not as it must be. */
  #mistake: string | undefined;

  read(line: string): AgentEvent[] {
    if (line.trim() === "") return [];
    const event = this.#parse(line);
    switch (event.type) {
      case "message":
        this.#lastMessage = event.text;
        return [{ type: "message", text: cutText(event.text) }];
      case "tool_called":
      case "question_asked":
        return [{ ...event, input: typeof event.input === "string" ? cutText(event.input) : inputText(event.input) }];
      case "turn_ended":
        this.#end = { verdict: event.verdict, report: cutReport(event.report || this.#lastMessage) };
        return [{ type: "turn_ended", ...this.#end, stdin: toLine({ type: "end" }) }];
      default:
        return [event];
    }
  }

  conclude({ exitCode, stderr }: { exitCode: number | null; stderr: string }): { verdict: AgentVerdict; report: string } {
    const report = this.#end?.report ?? cutReport(this.#lastMessage);
    if (this.#end && (!this.#end.verdict.ok || exitCode === 0)) return this.#end;
    const ended = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
    const how = this.#end ? `reported success but ${ended}` : `${ended} without a \`turn_ended\` line`;
    const why = this.#mistake ?? complaintOf(stderr);
    const message = `The agent's program ${how}.${why === "" ? "" : ` It said: ${why}`}`;
    return { verdict: { ok: false, reason: "agent_error", message, retryAt: null }, report };
  }

  #parse(line: string): AgentLine {
    const json = parseJson(line);
    if (!isObject(json) || typeof json["type"] !== "string" || !agentLineTypes.has(json["type"])) return { type: "message", text: line };
    const parsed = AgentLine.safeParse(json);
    if (parsed.success) return parsed.data;
    this.#mistake = `${cutText(line, 200)}, which is not as it must be: ${z.prettifyError(parsed.error)}`;
    return { type: "message", text: line };
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // plain text
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
