import type { ModelCall } from "./model-script.ts";

/** A call of a tool by name. */
export interface NamedCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What a scripted call is for Claude Code, or for Drover's own agent, by the tools that are offered. */
export function namedCall(call: ModelCall, offered: readonly string[]): NamedCall {
  return call.kind === "tool" || offered.includes("run") ? ofBuiltin(call) : ofClaude(call);
}

export function ofBuiltin(call: ModelCall): NamedCall {
  switch (call.kind) {
    case "write":
      return { name: "write", input: { path: call.path, content: call.content } };
    case "run":
      return { name: "run", input: { argv: PLAIN.test(call.command) ? call.command.split(" ") : ["sh", "-c", call.command] } };
    case "tool":
      return { name: call.tool, input: call.input };
  }
}

/** Words that mean the same with and without a shell. */
const PLAIN = /^[\w./-]+(?: [\w./-]+)*$/u;

function ofClaude(call: Exclude<ModelCall, { kind: "tool" }>): NamedCall {
  return call.kind === "write"
    ? { name: "Write", input: { file_path: call.path, content: call.content } }
    : { name: "Bash", input: { command: call.command, description: "Run a command" } };
}
