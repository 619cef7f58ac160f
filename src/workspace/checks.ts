import { stripVTControlCharacters } from "node:util";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { createRedactor, type Redact } from "../base/redact.ts";
import { safeText } from "../base/text.ts";
import type { CheckConfig } from "../contract/config.ts";
import type { CheckResult } from "../contract/proof.ts";
import type { HeldCommand, ProcessHost } from "../process/host.ts";
import { noLimits, type RunLimits } from "../process/limits.ts";
import { createFailureReader } from "./failures.ts";

export interface CheckRequest {
  readonly host: ProcessHost;
  /** A check, or the set-up command: both are run the same way. */
  readonly check: CheckConfig;
  /** The tree it runs in. */
  readonly directory: string;
  /** A new folder for its streams. */
  readonly runDirectory: string;
  readonly marker: string;
  readonly env: Readonly<Record<string, string>>;
  /** What it may take of the machine; as much as there is when left out. */
  readonly limits?: RunLimits;
  /** What is held in the place of the plain command: the same in an isolation. */
  readonly wrap?: (command: HeldCommand) => Promise<HeldCommand>;
  readonly redact?: Redact;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const TAIL_MAX_LENGTH = 4096;
const GRACE_MS = 2_000;
const onlyKnownShapes = createRedactor(() => []);

/** One stream, in the order it was printed, and no waiting for a person's input. */
const PROLOGUE = "exec 2>&1 </dev/null\n";

/**
 * Runs a command by `sh -c` under the process host and says what it did; a command that fails is a result too. When it is
 * over, by itself or by its time limit (`exitCode` null), nothing of it runs any more, whatever it started. The tree's own
 * path is written as `.` in what it printed, so that two trees can be compared. Throws the signal's reason when aborted, and
 * with `details.reason` `memory` when it reached a limit on memory: that says nothing of the tree.
 */
export async function runCheck({
  host,
  check,
  directory,
  runDirectory,
  marker,
  env,
  limits = noLimits,
  wrap = async (command) => command,
  redact = onlyKnownShapes,
  clock,
  signal,
}: CheckRequest): Promise<CheckResult> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const startedAt = clock.elapsed();
  const argv = ["sh", "-c", PROLOGUE + check.command] as const;
  await host.start(await wrap({ directory: runDirectory, argv, cwd: directory, env, files: {}, stdin: "", marker, limits }));
  const cancelLimit = clock.setTimer(check.timeoutMs, () => limit.abort(new AppError("timeout", `${check.name} reached its time limit.`)));
  const output = new Output(directory, redact);
  let exitCode: number | null = null;
  try {
    exitCode = await follow(host, { name: check.name, runDirectory }, output, AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.signal.aborted) throw error;
    // Its time limit: a result like any other, below.
  } finally {
    cancelLimit();
    await host.stop(runDirectory, { marker, graceMs: GRACE_MS });
  }
  return { exitCode, durationMs: Math.round(clock.elapsed() - startedAt), failures: output.failures(), outputTail: output.tail() };
}

async function follow(
  host: ProcessHost,
  { name, runDirectory }: { name: string; runDirectory: string },
  output: Output,
  signal: AbortSignal,
): Promise<number | null> {
  for await (const { text } of host.readLines(runDirectory, { from: 0, follow: true, signal })) output.add(text);
  const end = await host.waitForEnd(runDirectory, signal);
  if (end.state === "exited" && end.outOfMemory) {
    throw new AppError(
      "conflict",
      `${name} reached a limit on memory (resources.agentMemoryMB, resources.maxMemoryMB, defaults.memoryMB).`,
      {
        reason: "memory",
      },
    );
  }
  return end.state === "exited" ? end.exitCode : null;
}

/** What a command printed, as far as anybody wants to know it. */
class Output {
  private readonly directory: string;
  private readonly redact: Redact;
  private readonly reader = createFailureReader();
  private lines: string[] = [];
  private length = 0;

  constructor(directory: string, redact: Redact) {
    this.directory = directory;
    this.redact = redact;
  }

  add(text: string): void {
    const line = this.redact(stripVTControlCharacters(text).replaceAll(this.directory, "."));
    this.reader.read(line);
    const kept = safeText(line).slice(-TAIL_MAX_LENGTH);
    this.lines.push(kept);
    this.length += kept.length + 1;
    while (this.length > TAIL_MAX_LENGTH && this.lines.length > 1) this.length -= (this.lines.shift()?.length ?? 0) + 1;
  }

  failures(): string[] {
    return this.reader.failures();
  }

  /** Its last lines, whole ones: at most 4 KB. */
  tail(): string {
    return this.lines.join("\n");
  }
}
