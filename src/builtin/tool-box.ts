import { z } from "zod";
import { AppError, messageOf } from "../base/errors.ts";
import type { SaidAgentLine } from "../contract/agent-line.ts";
import type { AgentConfig } from "../contract/config.ts";
import { runTools } from "../contract/run-tools.ts";
import type { ToolCall } from "./ask-model.ts";
import { ToolName, type Tool, type ToolContext } from "./tools/tool.ts";

/** What a model gets back for a call. */
export interface ToolOutcome {
  readonly call: ToolCall;
  readonly text: string;
  readonly failed: boolean;
}

/** Somebody who is asked whether a tool may be used. */
export interface Person {
  answer(id: string, signal: AbortSignal): Promise<{ readonly allow: boolean; readonly message: string }>;
}

export interface ToolBoxParts {
  /** All that there are, the stage's and others. */
  readonly tools: readonly Tool[];
  /** The names of those that the stage allows; null: all. */
  readonly allowed: readonly string[] | null;
  readonly permissions: AgentConfig["permissions"];
  readonly context: ToolContext;
  readonly person: Person;
  readonly say: (line: SaidAgentLine) => void;
}

/** The most of a tool's result that a model is given, characters: more would fill its context. */
const RESULT_MAX = 100_000;
/** Tools that change nothing of the work, for which nobody is asked. */
const LOOKING: readonly string[] = [ToolName.enum.read, ToolName.enum.list, ToolName.enum.search, ...Object.keys(runTools)];

/** The tools of a run. What a model does wrong with them it is told; nothing that it calls ends the run. */
export class ToolBox {
  readonly #parts: ToolBoxParts;
  #denied: string | undefined;

  constructor(parts: ToolBoxParts) {
    this.#parts = parts;
  }

  /** Those that a model is told of. */
  get offered(): readonly Tool[] {
    return this.#parts.tools.filter(({ name }) => this.#isAllowed(name));
  }

  /** The tool that a person said no to, when nothing was changed since. */
  get denied(): string | undefined {
    return this.#denied;
  }

  /** Does what a call asks for. Throws the signal's reason only. */
  async use(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome> {
    const { say } = this.#parts;
    say({ type: "tool_called", id: call.id, tool: call.tool, input: call.input });
    const outcome = await this.#try(call, signal);
    say({ type: "tool_finished", id: call.id, tool: call.tool, failed: outcome.failed });
    return outcome;
  }

  async #try(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome> {
    try {
      const tool = this.#find(call);
      const input = readInput(tool, call);
      await this.#askPerson(call, signal);
      const text = await tool.run(input, this.#parts.context, signal);
      if (!LOOKING.includes(call.tool)) this.#denied = undefined;
      return { call, text: cut(text), failed: false };
    } catch (thrown) {
      signal.throwIfAborted();
      return { call, text: cut(messageOf(thrown)), failed: true };
    }
  }

  #find({ tool: name, input }: ToolCall): Tool {
    const tool = this.#parts.tools.find((one) => one.name === name);
    const offered = this.offered.map((one) => one.name).join(", ") || "none";
    if (!tool) throw new AppError("invalid", `There is no tool ${name}. There is: ${offered}.`);
    if (this.#isAllowed(name)) return tool;
    throw this.#refused(name, input, `The tool ${name} is not allowed at this stage. Allowed are: ${offered}.`);
  }

  async #askPerson({ id, tool, input }: ToolCall, signal: AbortSignal): Promise<void> {
    const { permissions, person, say } = this.#parts;
    if (permissions !== "ask" || LOOKING.includes(tool)) return;
    say({ type: "question_asked", id, tool, input });
    const { allow, message } = await person.answer(id, signal);
    if (allow) return;
    this.#denied = tool;
    throw this.#refused(tool, input, `A person did not allow ${tool}${message === "" ? "." : `: ${message}`}`);
  }

  #refused(tool: string, input: unknown, message: string): AppError {
    this.#parts.context.audit({ tool, subject: JSON.stringify(input) ?? "", outcome: "refused", message });
    return new AppError("invalid", message);
  }

  #isAllowed(name: string): boolean {
    return this.#parts.allowed?.includes(name) ?? true;
  }
}

function readInput(tool: Tool, { input, isBroken }: ToolCall): unknown {
  if (isBroken) throw new AppError("invalid", `The input of ${tool.name} is no JSON. Give it as one JSON object.`);
  const parsed = tool.input.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new AppError("invalid", `The input of ${tool.name} is not as it must be:\n${z.prettifyError(parsed.error)}`);
}

function cut(text: string): string {
  if (text.length <= RESULT_MAX) return text;
  return `${text.slice(0, RESULT_MAX)}\n(${text.length - RESULT_MAX} more characters were left out)`;
}
