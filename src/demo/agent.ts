/**
 * The demo's agent: a program for the `command` driver that asks a model over Anthropic's Messages API at ANTHROPIC_BASE_URL,
 * and writes files and runs commands in the current directory for as long as the model wants it to.
 */
import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { AppError, messageOf } from "../base/errors.ts";

const MODEL = "scripted";
const TURNS_MAX = 50;
const OUTPUT_MAX = 20_000;

const WriteInput = z.object({ file_path: z.string(), content: z.string() });
const BashInput = z.object({ command: z.string() });
const tools = [
  { name: "Write", description: "Write a file of the workspace.", input_schema: z.toJSONSchema(WriteInput) },
  { name: "Bash", description: "Run a command in the workspace.", input_schema: z.toJSONSchema(BashInput) },
];

const ToolUse = z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() });
type ToolUse = z.infer<typeof ToolUse>;
const Content = z.discriminatedUnion("type", [z.object({ type: z.literal("text"), text: z.string() }), ToolUse]);
const Answer = z.object({
  content: z.array(Content),
  usage: z.object({ input_tokens: z.int(), output_tokens: z.int(), cache_read_input_tokens: z.int().default(0) }),
});
type Answer = z.infer<typeof Answer>;

interface Message {
  readonly role: "user" | "assistant";
  readonly content: unknown;
}

const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsdMicros: null };

try {
  const prompt = await readFile(process.env["DROVER_PROMPT_FILE"] ?? "", "utf8");
  say({ type: "session_started", sessionId: `demo-${process.pid}`, model: MODEL });
  say({ type: "turn_ended", verdict: { ok: true }, report: await work(prompt) });
} catch (thrown) {
  say({ type: "turn_ended", verdict: { ok: false, reason: "agent_error", message: messageOf(thrown) } });
}

/** Asks and does what the model wants until it wants nothing more. Returns its last words. */
async function work(prompt: string): Promise<string> {
  const messages: Message[] = [{ role: "user", content: prompt }];
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const { content, usage: used } = await askModel(messages);
    countUsage(used);
    const words = content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
    if (words !== "") say({ type: "message", text: words });
    const calls = content.filter((block) => block.type === "tool_use");
    if (calls.length === 0) return words;
    const results = [];
    for (const call of calls) results.push(await useTool(call));
    messages.push({ role: "assistant", content }, { role: "user", content: results });
  }
  throw new AppError("timeout", `The model did not come to an end in ${TURNS_MAX} turns.`);
}

async function askModel(messages: readonly Message[]): Promise<Answer> {
  const response = await fetch(new URL("/v1/messages", process.env["ANTHROPIC_BASE_URL"]), {
    method: "POST",
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: MODEL, max_tokens: 8000, tools, messages }),
  });
  if (!response.ok) throw new AppError("unavailable", `The model answered ${response.status}: ${await response.text()}`);
  return Answer.parse(await response.json());
}

function countUsage(used: Answer["usage"]): void {
  usage.inputTokens += used.input_tokens;
  usage.outputTokens += used.output_tokens;
  usage.cacheReadTokens += used.cache_read_input_tokens;
  say({ type: "usage", usage });
}

async function useTool({ id, name, input }: ToolUse) {
  say({ type: "tool_called", id, tool: name, input });
  const result = await runTool(name, input).catch((thrown: unknown) => ({ failed: true, output: messageOf(thrown) }));
  say({ type: "tool_finished", id, tool: name, failed: result.failed });
  return { type: "tool_result", tool_use_id: id, is_error: result.failed, content: result.output.slice(-OUTPUT_MAX) };
}

async function runTool(name: string, input: unknown): Promise<{ failed: boolean; output: string }> {
  if (name === "Write") return writeInWorkspace(WriteInput.parse(input));
  if (name === "Bash") return runInWorkspace(BashInput.parse(input));
  throw new AppError("invalid", `There is no tool ${name}.`);
}

async function writeInWorkspace({ file_path: path, content }: z.infer<typeof WriteInput>) {
  const file = resolve(path);
  if (relative(process.cwd(), file).startsWith("..")) throw new AppError("invalid", `${path} is outside the workspace.`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return { failed: false, output: "Written." };
}

async function runInWorkspace({ command }: z.infer<typeof BashInput>) {
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [output, errors, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { failed: exitCode !== 0, output: `${output}${errors}(exit code ${exitCode})` };
}

/** One line of the protocol in docs/guides/command-agent.md. */
function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
