import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What the small agents of test/programs share: a model over Anthropic's Messages API on a unix socket, and two tools. */
export interface Block {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: ToolInput;
  tool_use_id?: string;
  content?: string;
}
export interface ToolInput {
  file_path?: string;
  content?: string;
  command?: string;
}
export interface Message {
  role: string;
  content: string | Block[];
}
export interface Answer {
  content: Block[];
  usage: { input_tokens: number; output_tokens: number; cache_read_input_tokens: number };
}

const RETRIES = 1;
const TOOLS = [{ name: "Write" }, { name: "Bash" }];

/** Asks the model (a unix socket, or a base URL), once more when it fails. `status` 0: the answer broke off. */
export async function askModel(
  model: string,
  messages: readonly Message[],
  onRetry: (attempt: number, status: number) => void,
): Promise<Answer | { status: number }> {
  for (let attempt = 1; ; attempt++) {
    const answer = await post(model, { model: "small-1", max_tokens: 1000, tools: TOOLS, messages });
    if (!("status" in answer) || attempt > RETRIES) return answer;
    onRetry(attempt, answer.status);
    await sleep(50);
  }
}

/** Writes a file, or runs a command, which the signal ends. */
export async function useTool(
  { file_path: path, content = "", command = "" }: ToolInput,
  signal = new AbortController().signal,
): Promise<{ failed: boolean; output: string }> {
  if (path !== undefined) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return { failed: false, output: "written" };
  }
  const child = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "inherit"], signal });
  // That it was ended; "close" comes all the same.
  child.on("error", () => {});
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { failed: code !== 0, output };
}

function post(model: string, body: object): Promise<Answer | { status: number }> {
  return new Promise((resolve) => {
    const place = URL.canParse(model) ? { host: new URL(model).hostname, port: new URL(model).port } : { socketPath: model };
    const asked = request({ ...place, path: "/v1/messages", method: "POST" }, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += data.toString()));
      response.on("error", () => resolve({ status: 0 }));
      response.on("end", () => resolve(response.statusCode === 200 ? (JSON.parse(text) as Answer) : { status: response.statusCode ?? 0 }));
    });
    asked.on("error", () => resolve({ status: 0 }));
    asked.end(JSON.stringify(body));
  });
}
