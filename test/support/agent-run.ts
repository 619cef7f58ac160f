import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { AppError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { hookProgram } from "../../src/agents/hook-program.ts";
import type { AgentEvent, Driver, LaunchRequest, OutputReader } from "../../src/agents/driver.ts";
import type { EndedState, HeldCommand, ProcessHost } from "../../src/process/host.ts";
import { createProcessHost } from "../../src/process/real-host.ts";
import { noLimits } from "../../src/process/limits.ts";
import { createSystemTable } from "../../src/process/system-table.ts";

export type EventOf<Type extends AgentEvent["type"]> = Extract<AgentEvent, { type: Type }>;
export type Conclusion = ReturnType<OutputReader["conclude"]> & { readonly end: EndedState };
export type LocalHost = ReturnType<typeof createProcessHost>;

/** The real process host; `scope` keeps what it starts apart from everything else on the machine. */
export function openHost(scope: string): LocalHost {
  return createProcessHost({
    clock: systemClock,
    log: silentLog,
    table: createSystemTable(systemClock),
    scope,
    agentHosts: join(scope, "agent-hosts"),
    path: process.env["PATH"] ?? "",
    outputMaxBytes: 64 * 2 ** 20,
  });
}

function commandOf(driver: Driver, request: LaunchRequest, directory: string, marker: string): HeldCommand {
  const { argv, env, files, stdin } = driver.launch(request);
  const hookFiles = request.hooks === null ? {} : hookProgram(request.hooks).files;
  return {
    directory,
    argv,
    cwd: request.workspace,
    env,
    files: { ...hookFiles, ...request.toolServer?.files, ...files },
    stdin,
    marker,
    limits: noLimits,
  };
}

/** An agent at work under the real process host, followed as the engine follows it. */
export class AgentRun {
  readonly events: AgentEvent[] = [];
  /** Its output as it came. */
  readonly lines: string[] = [];
  readonly #host: ProcessHost;
  readonly #driver: Driver;
  readonly #directory: string;
  readonly #marker: string;
  readonly #changed = new Set<() => void>();
  readonly #conclusion: Promise<Conclusion>;
  #hasEnded = false;

  static async start(host: ProcessHost, driver: Driver, request: LaunchRequest, folder: { directory: string; marker: string }) {
    await mkdir(request.configDirectory, { recursive: true, mode: 0o700 });
    await host.start(commandOf(driver, request, join(folder.directory, "agent"), folder.marker));
    return new AgentRun(host, driver, folder);
  }

  /** Follows an agent that somebody started, from its first line. */
  constructor(host: ProcessHost, driver: Driver, { directory, marker }: { directory: string; marker: string }) {
    this.#host = host;
    this.#driver = driver;
    this.#directory = join(directory, "agent");
    this.#marker = marker;
    this.#conclusion = this.#follow();
    // A test that fails earlier removes everything under it and never asks for this.
    this.#conclusion.catch(() => {});
  }

  /** The first event of a type that `fits`, once it has come. */
  async until<Type extends AgentEvent["type"]>(type: Type, fits: (event: EventOf<Type>) => boolean = () => true): Promise<EventOf<Type>> {
    const isWanted = (event: AgentEvent): event is EventOf<Type> => event.type === type && fits(event as EventOf<Type>);
    for (;;) {
      const found = this.events.find(isWanted);
      if (found) return found;
      if (this.#hasEnded)
        throw new Error(`The agent ended without ${type}: ${JSON.stringify(await this.#conclusion)}\n${this.lines.join("\n")}`);
      await new Promise<void>((resolve) => this.#changed.add(resolve));
    }
  }

  async answer(question: EventOf<"question_asked">, answer: { allow: boolean; message: string }): Promise<void> {
    const text = this.#driver.answer(question, answer);
    if (text === null) throw new Error(`${this.#driver.name} cannot be answered.`);
    await this.send(text);
  }

  send(text: string): Promise<void> {
    return this.#host.send(this.#directory, text);
  }

  async stop(graceMs: number): Promise<void> {
    await this.#host.stop(this.#directory, { marker: this.#marker, graceMs });
  }

  /** How it ended, once it has. */
  conclude(): Promise<Conclusion> {
    return this.#conclusion;
  }

  async #follow(): Promise<Conclusion> {
    const reader = this.#driver.openReader();
    const { signal } = new AbortController();
    for await (const { text } of this.#host.readLines(this.#directory, { from: 0, follow: true, signal })) {
      this.lines.push(text);
      for (const event of reader.read(text)) {
        if (event.type === "turn_ended" && event.stdin !== null) await this.#sendIfRunning(event.stdin);
        this.events.push(event);
      }
      this.#wake();
    }
    const end = await this.#host.waitForEnd(this.#directory, signal);
    const stderr = await this.#host.readErrors(this.#directory, 4096);
    this.#hasEnded = true;
    const concluded = reader.conclude({ exitCode: end.state === "exited" ? end.exitCode : null, stderr });
    this.#wake();
    return { ...concluded, end };
  }

  /** As the engine does: a program that has ended by itself needs no word to go. */
  async #sendIfRunning(text: string): Promise<void> {
    try {
      await this.send(text);
    } catch (thrown) {
      if (!(thrown instanceof AppError && thrown.code === "conflict")) throw thrown;
    }
  }

  #wake(): void {
    for (const wake of this.#changed) wake();
    this.#changed.clear();
  }
}
