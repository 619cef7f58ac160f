import { Dice } from "./dice.ts";
import { Providers } from "./providers.ts";
import { VirtualTime } from "./virtual-time.ts";

/** An invariant that did not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** An issue of the simulated forge, and what its agents will do with it. */
export interface WorldIssue {
  readonly project: string;
  readonly number: number;
  readonly title: string;
  readonly labels: string[];
  readonly open: boolean;
  readonly updatedAt: number;
  /** The forge's counter of changes when this one last changed. */
  readonly version: number;
}

/** A process of the simulated machine. The same pid may come back with another start time. */
export interface WorldProcess {
  readonly directory: string;
  readonly marker: string;
  readonly cwd: string;
  /** Of its provider. */
  readonly account: string;
  readonly pid: number;
  readonly startTime: string;
  alive: boolean;
  /** What it left behind when it ended; null: nothing (it lives, or was lost). */
  exit: { exitCode: number | null; signal: number | null; outOfMemory?: true } | null;
  readonly lines: { text: string; end: number }[];
}

/** The directory of a task. `work` counts what its agents did; `saved` and `good` say up to where it is safe and correct. */
export interface WorldTree {
  readonly taskId: string;
  readonly directory: string;
  readonly base: string;
  work: number;
  saved: number;
  isGood: boolean;
}

/** Everything outside the daemon: it outlives every incarnation. Faults happen here. */
export class World {
  readonly time = new VirtualTime();
  readonly dice: Dice;
  readonly providers = new Providers(this);
  readonly faults = { on: true };
  /** How many agents may be processes of their own at once, and how many may share one program. */
  readonly agentMax: number;
  readonly hostedMax: number;

  readonly issues = new Map<string, WorldIssue>();
  /** Comments by marker, pull requests and pushed commits by `project:branch`: what the forge would show. */
  readonly comments = new Map<string, { issue: string; body: string; edits: number }>();
  readonly pulls = new Map<string, { number: number; marker: string; commit: string }>();
  readonly branches = new Map<string, string>();
  readonly processes = new Map<number, WorldProcess>();
  /** Which command folders have been started or made impossible to start, and by whom. */
  readonly starts = new Map<string, "holder" | "settled">();
  readonly processByDirectory = new Map<string, WorldProcess>();
  readonly trees = new Map<string, WorldTree>();
  /** Commits that hold good work. */
  readonly goodCommits = new Set<string>();
  violation: Violation | undefined;
  readonly counts = { crashes: 0, starts: 0, kills: 0, faults: 0 };

  /** Until these moments (true time) the forge does not answer, and the process table can't be asked. */
  forgeDownUntil = 0;
  blindUntil = 0;
  /** Counts the changes of all issues. */
  version = 0;
  #nextPid = 100;
  #nextStart = 1;
  #listeners = new Set<() => void>();

  constructor(seed: number, options: { agentMax: number }) {
    this.dice = new Dice(seed);
    this.agentMax = options.agentMax;
    this.hostedMax = options.agentMax + 1;
  }

  putIssue(issue: Omit<WorldIssue, "updatedAt" | "version">): void {
    this.version += 1;
    this.issues.set(`${issue.project}#${issue.number}`, { ...issue, updatedAt: this.time.wall, version: this.version });
  }

  get isBlind(): boolean {
    return this.time.elapsed < this.blindUntil;
  }

  get live(): WorldProcess[] {
    return [...this.processes.values()].filter((process) => process.alive && process.marker !== "");
  }

  /** Kept as well as thrown: where it is thrown the program's own care for failures may catch it. */
  fail(message: string): never {
    this.violation ??= new Violation(`${message} (at ${(this.time.elapsed / 3_600_000).toFixed(3)} h)`);
    throw this.violation;
  }

  /** Makes a process, sometimes with a pid that was another's before. */
  spawn(of: Pick<WorldProcess, "directory" | "marker" | "cwd" | "account">): WorldProcess {
    const dead = [...this.processes.values()].find((process) => !process.alive);
    const pid = dead && this.dice.chance(0.3) ? dead.pid : this.#nextPid++;
    const process: WorldProcess = { ...of, pid, startTime: String(this.#nextStart++), alive: true, exit: null, lines: [] };
    this.processes.delete(pid);
    this.processes.set(pid, process);
    return process;
  }

  /** Another program gets the pid of a dead process. */
  reusePid(pid: number): void {
    this.processes.set(pid, {
      directory: "",
      marker: "",
      cwd: "",
      account: "",
      pid,
      startTime: String(this.#nextStart++),
      alive: true,
      exit: null,
      lines: [],
    });
  }

  end(process: WorldProcess, exit: WorldProcess["exit"]): void {
    if (!process.alive) return;
    process.alive = false;
    process.exit = exit;
    this.changed();
  }

  print(process: WorldProcess, event: object): void {
    const text = JSON.stringify(event);
    process.lines.push({ text, end: (process.lines.at(-1)?.end ?? 0) + text.length + 1 });
    this.changed();
  }

  /** Resolves at the next change of any process. */
  nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const done = () => {
        this.#listeners.delete(done);
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#listeners.delete(done);
        reject(signal.reason);
      };
      this.#listeners.add(done);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  changed(): void {
    const listeners = this.#listeners;
    this.#listeners = new Set();
    for (const listener of listeners) listener();
  }
}
