import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { CancelTimer, Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { HostOrder, type HostSummary } from "../contract/agent-host.ts";
import type { ProcessIdentity } from "../contract/run.ts";
import { entryFile, hostFiles } from "../process/hosted-folder.ts";
import { HostedRun } from "./hosted-run.ts";

export interface HostedRunsOptions {
  /** The host's own held folder. */
  readonly directory: string;
  /** Of the host. */
  readonly identity: ProcessIdentity;
  readonly clock: Clock;
  readonly idleMs: number;
}

const NANOSECONDS_A_MS = 1e6;

/** The runs of an agent host, by their folders. What becomes of one is nothing to the others. */
export class HostedRuns {
  readonly #options: HostedRunsOptions;
  readonly #runs = new Map<string, HostedRun>();
  readonly #over = Promise.withResolvers<HostSummary>();
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  #retired = false;
  #begun = 0;
  #atOnceMax = 0;
  #cancelIdle: CancelTimer;

  constructor(options: HostedRunsOptions) {
    this.#options = options;
    mkdirSync(hostFiles(options.directory).runs, { recursive: true, mode: 0o700 });
    this.#delay.enable();
    this.#cancelIdle = this.#waitIdly();
  }

  /** Does what a line says. One that is none is left out: a daemon that died may have left half of one. */
  obey(line: string): void {
    const order = parseOrder(line);
    switch (order?.type) {
      case "start":
        return this.#start(order.directory);
      case "tell":
        return this.#runs.get(order.directory)?.tell(order.text);
      case "end":
        return this.#runs.get(order.directory)?.end("ended by Drover");
      case "retire":
        this.#retired = true;
        return this.#endIfDone();
      case undefined:
        return undefined;
    }
  }

  /** Ends every run, and then itself. */
  endAll(why: string): void {
    this.#retired = true;
    for (const run of this.#runs.values()) run.end(why);
    this.#endIfDone();
  }

  /** Resolves when the host is to end: it has no runs, and takes none any more. */
  over(): Promise<HostSummary> {
    return this.#over.promise;
  }

  #start(directory: string): void {
    if (this.#retired || this.#runs.has(directory)) return;
    const run = this.#claim(directory);
    if (run === undefined) return;
    this.#cancelIdle();
    this.#runs.set(directory, run);
    this.#begun += 1;
    this.#atOnceMax = Math.max(this.#atOnceMax, this.#runs.size);
    void run
      .carryOut()
      .catch((thrown: unknown) => process.stderr.write(`Cannot tell the end of the run of ${directory}: ${messageOf(thrown)}\n`))
      .finally(() => this.#forget(run));
  }

  /** Undefined: the start was refused, or its folder is not as it must be. Then it has not begun. */
  #claim(directory: string): HostedRun | undefined {
    const { identity, directory: host } = this.#options;
    let run: HostedRun | undefined;
    try {
      run = HostedRun.open(directory);
      // Before it can have begun, so that a daemon that looks finds every run there is.
      writeFileSync(this.#entryOf(run), directory, { mode: 0o600 });
      if (run.claim(identity, host)) return run;
    } catch (thrown) {
      process.stderr.write(`Cannot begin the run of ${directory}: ${messageOf(thrown)}\n`);
    }
    if (run) rmSync(this.#entryOf(run), { force: true });
    return undefined;
  }

  #forget(run: HostedRun): void {
    this.#runs.delete(run.directory);
    rmSync(this.#entryOf(run), { force: true });
    if (this.#runs.size === 0) this.#cancelIdle = this.#waitIdly();
    this.#endIfDone();
  }

  #entryOf({ marker }: HostedRun): string {
    return entryFile({ directory: this.#options.directory, marker });
  }

  #waitIdly(): CancelTimer {
    return this.#options.clock.setTimer(this.#options.idleMs, () => this.endAll("nothing to do"));
  }

  #endIfDone(): void {
    if (!this.#retired || this.#runs.size > 0) return;
    const { max } = this.#delay;
    this.#over.resolve({
      runs: this.#begun,
      runsAtOnceMax: this.#atOnceMax,
      delayP99Ms: this.#delay.percentile(99) / NANOSECONDS_A_MS,
      delayMaxMs: max / NANOSECONDS_A_MS,
    });
  }
}

function parseOrder(line: string): HostOrder | undefined {
  try {
    return HostOrder.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
