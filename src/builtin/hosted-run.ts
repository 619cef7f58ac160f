import { closeSync, existsSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { PassThrough } from "node:stream";
import { HostedCommand } from "../contract/agent-host.ts";
import type { ProcessIdentity } from "../contract/run.ts";
import { heldFiles } from "../process/held-folder.ts";
import { hasCode } from "../process/system-error.ts";
import { carryOrder } from "./carry-order.ts";
import { Inbox } from "./inbox.ts";

/** What a shell says of a command that a SIGTERM ended. */
const ENDED = 143;

/**
 * One run in an agent host: does for its held folder what a holder does, and what the program of a run of its own would do. Small
 * writes are made at once: they go to the system's memory, and a line that was said is there whatever happens next.
 */
export class HostedRun {
  readonly directory: string;
  readonly #command: HostedCommand;
  readonly #stdin = new PassThrough();
  readonly #stop = new AbortController();

  private constructor(directory: string, command: HostedCommand) {
    this.directory = directory;
    this.#command = command;
  }

  /** That of a folder that was made ready. Throws when it is not, or when its start was given up. */
  static open(directory: string): HostedRun {
    return new HostedRun(directory, HostedCommand.parse(JSON.parse(readFileSync(heldFiles(directory).command, "utf8"))));
  }

  get marker(): string {
    return this.#command.marker;
  }

  /** Makes the folder ours. False: its start was refused, or somebody else has begun it; it must be left alone then. */
  claim(identity: ProcessIdentity, host: string): boolean {
    const { identity: file, out, err, command } = heldFiles(this.directory);
    const { pid, startTime } = identity;
    const whole = `${file}.${pid}`;
    for (const stream of [out, err]) closeSync(openSync(stream, "a", 0o600));
    writeFileSync(whole, JSON.stringify({ ...identity, holder: { pid, startTime }, host: { directory: host, marker: this.marker } }), {
      mode: 0o600,
    });
    try {
      linkSync(whole, file);
    } catch (failure) {
      if (hasCode(failure, "EEXIST")) return false;
      throw failure;
    } finally {
      rmSync(whole, { force: true });
    }
    rmSync(command, { force: true });
    return true;
  }

  /** Does the work of the order that its stdin begins with, and leaves the exit status. Rejects when it can't, as on a full disk. */
  async carryOut(): Promise<void> {
    const { out, exit, input, groups } = heldFiles(this.directory);
    const { cwd, env } = this.#command;
    const output = openSync(out, "a", 0o600);
    const inbox = new Inbox(this.#stdin);
    this.tell(existsSync(input) ? readFileSync(input, "utf8") : "");
    rmSync(input, { force: true });
    const print = (line: string) => void writeSync(output, `${line}\n`);
    const place = { workspace: cwd, env, groups: existsSync(groups) ? groups : null };
    try {
      // What it could not say is missed by who reads; a program of its own would end with 1, too.
      const status = await carryOrder(inbox, place, print, this.#stop.signal).catch(() => 1);
      writeFileSync(`${exit}.tmp`, `${this.#stop.signal.aborted ? ENDED : status}\n`, { mode: 0o600 });
      renameSync(`${exit}.tmp`, exit);
    } finally {
      closeSync(output);
      this.#stdin.destroy();
    }
  }

  tell(text: string): void {
    if (!this.#stop.signal.aborted) this.#stdin.write(text);
  }

  end(why: string): void {
    this.#stop.abort(new Error(why));
    // One that still waits for its order gets none.
    this.#stdin.end();
  }
}
