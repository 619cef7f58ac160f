/** Fields of a log line. Use the names of the contract: `taskId runId projectId agent sessionId stage`. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log: a stable sentence plus fields. `error`: someone must act. `warn`: handled but odd. `info`: a state
 * changed. `debug`: for the person who is looking for a fault.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields` too. */
  child(fields: LogFields): Log;
}

/** Drops everything; for parts that are used outside the daemon. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
