import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { AgentOrder } from "../contract/agent-order.ts";
import type { Person } from "./tool-box.ts";

const Answer = z.object({ type: z.literal("answer"), id: z.string(), allow: z.boolean(), message: z.string().default("") });
type Answer = z.infer<typeof Answer>;

/** What the program is told on its stdin, which never ends by itself: its order in the first line, then the answers of people. */
export class Inbox implements Person {
  readonly #order = Promise.withResolvers<AgentOrder>();
  readonly #answers = new Map<string, PromiseWithResolvers<Answer>>();

  constructor(stdin: Readable) {
    let isFirst = true;
    createInterface({ input: stdin })
      .on("line", (line) => {
        if (isFirst) this.#readOrder(line);
        else this.#readAnswer(line);
        isFirst = false;
      })
      .on("close", () => this.#order.reject(new AppError("invalid", "The program was given no order on its stdin.")));
  }

  /** Rejects with `invalid` when the first line is none. */
  order(): Promise<AgentOrder> {
    return this.#order.promise;
  }

  async answer(id: string, signal: AbortSignal): Promise<Answer> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([this.#answerTo(id).promise, aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
      this.#answers.delete(id);
    }
  }

  #readOrder(line: string): void {
    try {
      this.#order.resolve(AgentOrder.parse(JSON.parse(line)));
    } catch (cause) {
      this.#order.reject(new AppError("invalid", "The first line on the program's stdin is no order.", { cause }));
    }
  }

  #readAnswer(line: string): void {
    const answer = Answer.safeParse(parseJson(line)).data;
    if (answer) this.#answerTo(answer.id).resolve(answer);
  }

  #answerTo(id: string): PromiseWithResolvers<Answer> {
    const answer = this.#answers.get(id) ?? Promise.withResolvers<Answer>();
    this.#answers.set(id, answer);
    return answer;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // not for us
  }
}
