/**
 * What a scripted model says and does. It stands in for a model provider in the demo and in tests, so that a real agent
 * program works with its own tools and no request leaves the machine.
 */
export interface ModelScript {
  readonly scenarios: readonly Scenario[];
}

/** One task and how the model goes about it, a step a turn. After the last step it has nothing more to say. */
interface Scenario {
  /** A user message that holds this text, or all of these, starts it. The latest such message of a conversation counts. */
  readonly when: string | readonly string[];
  readonly steps: readonly ModelStep[];
}

/** One turn: what the model says, then the tools it calls, at once. Without calls the agent's turn ends. */
export interface ModelStep {
  readonly text?: string;
  readonly calls?: readonly ModelCall[];
  readonly usage?: Partial<ModelUsage>;
  /** Waits before it answers, milliseconds. */
  readonly delayMs?: number;
  readonly trouble?: Trouble;
}

/** `write` and `run` become whatever the asking agent's own tools for them are; `path` is relative to its workspace. */
export type ModelCall =
  | { readonly kind: "write"; readonly path: string; readonly content: string }
  | { readonly kind: "run"; readonly command: string }
  | { readonly kind: "tool"; readonly tool: string; readonly input: Readonly<Record<string, unknown>> };

/**
 * How a turn goes wrong, the first `times` times (default: always); then the step goes as written. `error`: an HTTP status.
 * `hang`: never an answer. `cut`: the connection breaks in the middle of the answer.
 */
type Trouble =
  | {
      readonly kind: "error";
      readonly status: number;
      readonly message?: string;
      /** In place of what the provider's API says of the status. */
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly times?: number;
    }
  | { readonly kind: "hang"; readonly times?: number }
  | { readonly kind: "cut"; readonly times?: number };

export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
}

/** A request to a model in no provider's words. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Names of the tools the agent offers. */
  readonly tools: readonly string[];
  readonly messages: readonly ModelMessage[];
}

/** `tool`: results of tools; several in a row answer the calls of one turn. */
export interface ModelMessage {
  readonly role: "user" | "assistant" | "tool";
  readonly text: string;
}

/** A request's place in the script. `turn` counts from 0. */
export interface Position {
  readonly scenario: string;
  readonly turn: number;
  readonly step: ModelStep;
}

/**
 * Finds a request's place by its conversation alone, so that a resumed or repeated one goes on where it should: the turn
 * is the number of groups of tool results behind the user message that started the scenario.
 */
export function locate(script: ModelScript, request: ModelRequest): Position {
  // Agents ask for titles and summaries on the side, without tools. They are not turns of the work.
  if (request.tools.length === 0) return { scenario: "(no tools)", turn: 0, step: { text: "Scripted title" } };
  for (let index = request.messages.length - 1; index >= 0; index--) {
    const message = request.messages[index];
    const scenario =
      message?.role === "user" && script.scenarios.find(({ when }) => textsOf(when).every((text) => message.text.includes(text)));
    if (!scenario) continue;
    const name = textsOf(scenario.when).join(", ");
    const turn = countToolTurns(request.messages.slice(index));
    return { scenario: name, turn, step: scenario.steps[turn] ?? { text: `The script "${name}" has no step ${turn + 1}.` } };
  }
  return { scenario: "(none)", turn: 0, step: { text: "No scenario of the script matches this prompt." } };
}

function textsOf(when: Scenario["when"]): readonly string[] {
  return typeof when === "string" ? [when] : when;
}

function countToolTurns(messages: readonly ModelMessage[]): number {
  return messages.filter(({ role }, index) => role === "tool" && messages[index - 1]?.role !== "tool").length;
}
