import { AppError, toAppError } from "../base/errors.ts";
import type { Params, Reader, Statements, Written } from "./statements.ts";

/** What one unit of writing works with. Valid only until its function returns. */
export interface Transaction extends Reader {
  /** Epoch milliseconds, the same for everything that one transaction writes. */
  readonly now: number;
  run(text: string, params?: Params): Written;
  /** Calls `then` once the commit has happened; never, when it does not. */
  afterCommit(then: () => void): void;
}

export interface TurnWork {
  readonly run: (tx: Transaction) => unknown;
}

/** What became of one work. */
type Settled<Work> = { readonly work: Work; readonly afterCommit: readonly (() => void)[] } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: AppError }
);

/** The transaction of one turn, already begun: each work in a savepoint of its own. */
export class Turn<Work extends TurnWork> {
  readonly settled: Settled<Work>[] = [];
  readonly #statements: Statements;
  readonly #now: number;
  /** The tables that its statements named, whether or not anything in them changed. */
  readonly tables = new Set<string>();
  /** Whether anything was written that stays. */
  #changed = false;
  #changedBefore = false;
  /** Whether the triggers know the time of this transaction. */
  #isStamped = false;

  constructor(statements: Statements, now: number) {
    this.#statements = statements;
    this.#now = now;
  }

  get changed(): boolean {
    return this.#changed;
  }

  runWork(work: Work): void {
    this.#changedBefore = this.#changed;
    this.#statements.run("SAVEPOINT work");
    const afterCommit: (() => void)[] = [];
    const state = { isOpen: true };
    try {
      const result = work.run(this.#transaction(state, afterCommit));
      if (isPromise(result)) throw new AppError("internal", "The function of a transaction returned a promise; it must be synchronous.");
      this.#statements.run("RELEASE work");
      this.settled.push({ work, ok: true, result, afterCommit });
    } finally {
      state.isOpen = false;
    }
  }

  undoWork(work: Work, thrown: unknown): void {
    this.#statements.run("ROLLBACK TO work");
    this.#statements.run("RELEASE work");
    this.#changed = this.#changedBefore;
    this.#isStamped = false;
    this.settled.push({ work, ok: false, error: toAppError(thrown), afterCommit: [] });
  }

  /** Commits; or rolls back where nothing was changed, which costs no fsync and wakes nobody. */
  end(): void {
    if (!this.#changed) {
      this.#statements.run("ROLLBACK");
      return;
    }
    this.#statements.run("UPDATE writer SET now = NULL");
    this.#statements.run("COMMIT");
  }

  #transaction(state: { readonly isOpen: boolean }, afterCommit: (() => void)[]): Transaction {
    const statements = this.#statements;
    return {
      now: this.#now,
      get: (text, params) => statements.get(text, params),
      all: (text, params) => statements.all(text, params),
      run: (text, params) => {
        if (!state.isOpen) throw new AppError("internal", "A transaction was used after its function had returned.");
        return this.#run(text, params);
      },
      afterCommit: (then) => void afterCommit.push(then),
    };
  }

  #run(text: string, params: Params | undefined): Written {
    if (!this.#isStamped) this.#statements.run("UPDATE writer SET now = :now", { now: this.#now });
    this.#isStamped = true;
    const result = this.#statements.run(text, params);
    this.tables.add(result.table);
    if (result.changes > 0) this.#changed = true;
    return result;
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
