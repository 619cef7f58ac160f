import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import type { ModelScript } from "../../src/demo/model-script.ts";
import { anthropicMessages } from "../../src/demo/anthropic-messages.ts";
import { startModelServer, type JournalEntry } from "../../src/demo/model-server.ts";
import { geminiContent } from "./gemini-content.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";

/** The scripted model, in the words of every provider that our agents speak with, on a unix socket, which any network namespace of this machine reaches. */
export interface TestModel extends AsyncDisposable {
  readonly socket: string;
  readonly journal: readonly JournalEntry[];
}

const APIS = [anthropicMessages, openaiResponses, openaiChat, geminiContent];

export async function openTestModel(script: ModelScript): Promise<TestModel> {
  const folder = await mkdtemp(join(tmpdir(), "model-"));
  const socket = join(folder, "socket");
  const server = await startModelServer({ script, listen: { socket }, clock: systemClock, apis: APIS });
  return {
    socket,
    journal: server.journal,
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
