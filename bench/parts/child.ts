import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A program of `programs/` in a process of its own, which answers one message with one message. */
export class Child<Answer> implements AsyncDisposable {
  readonly #process: ChildProcess;

  constructor(program: string) {
    this.#process = fork(fileURLToPath(new URL(`../programs/${program}`, import.meta.url)), { serialization: "advanced" });
  }

  async ask(question: object): Promise<Answer> {
    const answer = once(this.#process, "message") as Promise<[Answer]>;
    this.#process.send(question);
    return (await answer)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}
