import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A program of ours that says one line on stdout when it is ready. Ends with its holder. */
export class Program implements AsyncDisposable {
  readonly readyAfterMs: number;
  /** Its first line, which is JSON. */
  readonly said: string;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, readyAfterMs: number, said: string) {
    this.#process = child;
    this.readyAfterMs = readyAfterMs;
    this.said = said;
  }

  /** Resolves at its first line. */
  static async start(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = process.env): Promise<Program> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await Promise.race([once(child.stdout.setEncoding("utf8"), "data"), once(child, "exit")])) as [unknown];
    const program = new Program(child, performance.now() - startedAt, String(said));
    if (child.exitCode !== null) throw new Error(`${argv.join(" ")} ended before it was ready.`);
    return program;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

/** How long a process takes from its start to its end, milliseconds. */
export async function timeProcess(program: string, args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(program, args, { stdio: "ignore" }), "exit");
  return performance.now() - startedAt;
}
