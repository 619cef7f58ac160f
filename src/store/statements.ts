import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** Named parameters, without the colon that the statement has before them. */
export type Params = Readonly<Record<string, SQLInputValue>>;

/** Reads rows. `Row` is what the caller knows of the statement's columns; nothing checks it. */
export interface Reader {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the shape of a row is known where its SQL is written
  get<Row>(text: string, params?: Params): Row | undefined;
  all<Row>(text: string, params?: Params): Row[];
}

/** What a statement wrote. */
export interface Written {
  /** The table that it names; its triggers may have written to others. */
  readonly table: string;
  /** Rows that it changed. */
  readonly changes: number;
  /** The rowid of the last row that was inserted, by this statement if it inserts one. */
  readonly lastRow: number;
}

/** The statements of one connection, each prepared once. Their texts are a fixed set, so the cache has a bound. */
export class Statements implements Reader {
  readonly #connection: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as in `Reader`
  get<Row>(text: string, params: Params = {}): Row | undefined {
    return this.#prepare(text).statement.get(params) as Row | undefined;
  }

  all<Row>(text: string, params: Params = {}): Row[] {
    return this.#prepare(text).statement.all(params) as Row[];
  }

  run(text: string, params: Params = {}): Written {
    const { statement, table } = this.#prepare(text);
    const { changes, lastInsertRowid } = statement.run(params);
    return { table, changes: Number(changes), lastRow: Number(lastInsertRowid) };
  }

  #prepare(text: string): Prepared {
    let prepared = this.#prepared.get(text);
    if (!prepared) {
      prepared = { statement: this.#connection.prepare(text), table: writtenTable(text) };
      this.#prepared.set(text, prepared);
    }
    return prepared;
  }
}

interface Prepared {
  readonly statement: StatementSync;
  readonly table: string;
}

/** The empty name: the statement only reads. */
function writtenTable(text: string): string {
  return /^\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM)\s+(\w+)/.exec(text)?.[1] ?? "";
}
