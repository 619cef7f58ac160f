import type { ModelMessage } from "ai";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { SaidAgentLine } from "../contract/agent-line.ts";
import type { AgentConfig } from "../contract/config.ts";
import type { BuiltinConfig } from "../contract/provider.ts";
import { askModel, type CallUsage, type ModelAnswer } from "./ask-model.ts";
import { askPatiently } from "./ask-patiently.ts";
import { GO_ON, INSTRUCTIONS } from "./instructions.ts";
import type { Model } from "./open-model.ts";
import type { ToolBox, ToolOutcome } from "./tool-box.ts";
import type { Transcript } from "./transcript.ts";

export interface WorkParts {
  readonly model: Model;
  readonly effort: AgentConfig["effort"];
  readonly limits: BuiltinConfig;
  readonly toolBox: ToolBox;
  readonly transcript: Transcript;
  readonly clock: Clock;
  readonly random: Random;
  readonly say: (line: SaidAgentLine) => void;
  /** Called while an answer comes, which is said only when it is whole. */
  readonly onChunk: () => void;
}

/**
 * Lets a model work on a prompt: turn by turn, until it calls no more tools. Returns its last words. Throws an AppError when
 * it comes to no good end, with `details.reason` where that is another than the agent's own (see `askPatiently`), or the
 * signal's reason.
 */
export async function work(prompt: string, parts: WorkParts, signal: AbortSignal): Promise<string> {
  const { transcript, toolBox, limits, say } = parts;
  const used = new UsageSum();
  transcript.add({ role: "user", content: prompt });
  for (let turn = 1; turn <= limits.callsMax; turn++) {
    const answer = await ask(parts, signal);
    say({ type: "usage", usage: used.add(answer.usage) });
    if (answer.text.trim() !== "") say({ type: "message", text: answer.text });
    transcript.add(...answer.messages);
    if (answer.calls.length === 0 && !answer.isCut) return lastWords(answer, toolBox);
    transcript.add(answer.calls.length === 0 ? { role: "user", content: GO_ON } : await useTools(answer, toolBox, signal));
  }
  throw new AppError("timeout", `The model did not come to an end in ${limits.callsMax} turns, which is builtin.callsMax.`);
}

function ask(parts: WorkParts, signal: AbortSignal): Promise<ModelAnswer> {
  const { transcript, toolBox, effort } = parts;
  const question = { instructions: INSTRUCTIONS, messages: transcript.messages, tools: toolBox.offered, effort };
  return askPatiently(() => askModel(parts, question, signal), parts, signal);
}

function lastWords({ text }: ModelAnswer, { denied }: ToolBox): string {
  if (denied === undefined) return text;
  throw new AppError("invalid", `A person did not allow ${denied}, and the model stopped there.`, { reason: "permission_denied" });
}

/** One after the other: what one does the next may build on. */
async function useTools({ calls }: ModelAnswer, toolBox: ToolBox, signal: AbortSignal): Promise<ModelMessage> {
  const outcomes: ToolOutcome[] = [];
  for (const call of calls) outcomes.push(await toolBox.use(call, signal));
  return {
    role: "tool",
    content: outcomes.map(({ call, text, failed }) => ({
      type: "tool-result",
      toolCallId: call.id,
      toolName: call.tool,
      output: { type: failed ? "error-text" : "text", value: text },
    })),
  };
}

/** What a run has used so far. Its cost is for the daemon to tell. */
class UsageSum {
  #sum: CallUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0 };

  add(call: CallUsage): CallUsage & { costUsdMicros: null } {
    this.#sum = {
      inputTokens: this.#sum.inputTokens + call.inputTokens,
      outputTokens: this.#sum.outputTokens + call.outputTokens,
      cacheReadTokens: this.#sum.cacheReadTokens + call.cacheReadTokens,
    };
    return { ...this.#sum, costUsdMicros: null };
  }
}
