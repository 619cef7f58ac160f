import type { ModelCall } from "../../src/demo/model-script.ts";
import { ofBuiltin, type NamedCall } from "../../src/demo/model-tools.ts";

/** A call of a tool in an agent's own words. `text`: its input is no JSON. */
type ToolCall = NamedCall | { readonly name: string; readonly text: string };

/** What a scripted call is for an agent that offers these tools: each agent has its own for writing a file and running a command. */
export function toolCallOf(call: ModelCall, offered: readonly string[]): ToolCall {
  if (call.kind === "tool" || offered.includes("run")) return ofBuiltin(call);
  const known = call.kind === "write" ? writing(call) : running(call);
  const fit = known.find(({ name }) => offered.includes(name));
  if (!fit) throw new Error(`None of the tools ${offered.join(", ")} is known to ${call.kind}.`);
  return fit;
}

function writing({ path, content }: Extract<ModelCall, { kind: "write" }>): ToolCall[] {
  const added = content
    .replace(/\n$/u, "")
    .split("\n")
    .map((line) => `+${line}\n`)
    .join("");
  return [
    { name: "apply_patch", text: `*** Begin Patch\n*** Add File: ${path}\n${added}*** End Patch\n` },
    { name: "write_file", input: { file_path: path, content } },
    { name: "write", input: { filePath: path, content } },
  ];
}

function running({ command }: Extract<ModelCall, { kind: "run" }>): ToolCall[] {
  return [
    { name: "exec_command", input: { cmd: command } },
    { name: "run_shell_command", input: { command, description: "Run a command" } },
    { name: "bash", input: { command, description: "Run a command" } },
  ];
}
