import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { z } from "zod";
import { AppError } from "../../src/base/errors.ts";
import { openModel, type Model } from "../../src/builtin/open-model.ts";
import { ToolBox, type ToolBoxParts } from "../../src/builtin/tool-box.ts";
import type { Tool, ToolAudit } from "../../src/builtin/tools/tool.ts";
import { Transcript } from "../../src/builtin/transcript.ts";
import { work } from "../../src/builtin/work.ts";
import type { SaidAgentLine } from "../../src/contract/agent-line.ts";
import { BuiltinConfig, type ProviderConfig } from "../../src/contract/provider.ts";
import { anthropicMessages } from "../../src/demo/anthropic-messages.ts";
import type { ModelScript } from "../../src/demo/model-script.ts";
import { startModelServer } from "../../src/demo/model-server.ts";
import { BASE_PATHS } from "./builtin-agent.ts";
import { geminiContent } from "./gemini-content.ts";
import { ManualClock } from "./manual-clock.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";

type Kind = Exclude<ProviderConfig["kind"], "package">;

/** A tool that tells what it was given, and one that always fails. */
const echo: Tool<{ text: string }> = {
  name: "echo",
  description: "Says what it is given.",
  input: z.strictObject({ text: z.string() }),
  run: async ({ text }) => `echo: ${text}`,
};
const fail: Tool<object> = {
  name: "fail",
  description: "Fails.",
  input: z.object({}),
  run: async () => {
    throw new AppError("not_found", "There is no such thing. Look for another.");
  },
};

export interface Worked {
  /** All that was said. */
  readonly lines: readonly SaidAgentLine[];
  readonly audit: readonly ToolAudit[];
  readonly clock: ManualClock;
  readonly transcript: Transcript;
  /** How often a part of an answer came. */
  readonly chunks: () => number;
  /** Lets the model work on a prompt; its last words. */
  readonly work: (prompt: string, signal?: AbortSignal) => Promise<string>;
}

export interface WorkOptions {
  readonly limits?: Partial<BuiltinConfig>;
  readonly toolBox?: Partial<ToolBoxParts>;
  readonly clock?: ManualClock;
  readonly transcript?: Transcript;
}

/** The work of our own agent with a model, in this process, on a clock that the test moves. Its files go with the test. */
export async function workWith(model: Model, options: WorkOptions = {}): Promise<Worked> {
  const { clock = new ManualClock() } = options;
  const transcript = options.transcript ?? Transcript.begin(await ownFolder(), crypto.randomUUID());
  const lines: SaidAgentLine[] = [];
  const audit: ToolAudit[] = [];
  const say = (line: SaidAgentLine) => void lines.push(line);
  const toolBox = new ToolBox({
    tools: [echo, fail],
    allowed: null,
    permissions: "edit",
    context: {
      workspace: "/",
      env: {},
      confine: null,
      commandTimeoutMs: 1000,
      allowedCommands: null,
      audit: (entry) => audit.push(entry),
    },
    person: { answer: async () => ({ allow: true, message: "" }) },
    say,
    ...options.toolBox,
  });
  let chunks = 0;
  const parts = {
    model,
    effort: null,
    limits: BuiltinConfig.parse(options.limits ?? {}),
    toolBox,
    transcript,
    clock,
    random: () => 0.5,
    say,
    onChunk: () => void chunks++,
  };
  const whole = new AbortController().signal;
  return { lines, audit, clock, transcript, chunks: () => chunks, work: (prompt, signal = whole) => work(prompt, parts, signal) };
}

/** A model of the scripted server, over the wire of a kind of provider, and the requests that come. */
export async function scriptedModel(kind: Kind, script: ModelScript, clock = new ManualClock()) {
  const apis = [anthropicMessages, openaiResponses, openaiChat, geminiContent];
  const server = await startModelServer({ script, listen: { port: 0 }, clock, apis });
  onTestFinished(() => server.close());
  return { model: await modelAt(kind, server.address), journal: server.journal };
}

/** A model of a provider at an address of this machine. */
export function modelAt(kind: Kind, address: string): Promise<Model> {
  const ordered = { provider: "mock", model: "small-1", kind, baseUrl: `${address}${BASE_PATHS[kind]}`, keyVariable: "KEY", package: null };
  return openModel(ordered, { KEY: "test-key" });
}

export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "builtin-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** What work failed with, as a verdict tells it. */
export async function failureOf(working: Promise<string>): Promise<object> {
  const thrown = await working.then(
    (words) => new Error(`It did not fail, but said: ${words}`),
    (failure: unknown) => failure,
  );
  const { message, details } = thrown as { message: string; details?: object };
  return { message, ...details };
}

/** Waits until something reads as it should, as long as a busy machine may take. */
export function eventually<Value>(read: () => Value) {
  return expect.poll(read, { timeout: 30_000 });
}
