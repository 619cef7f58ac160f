import { pino, type Logger } from "pino";
import { createStream, type RotatingFileStream } from "rotating-file-stream";
import type { Log, LogFields } from "../base/log.ts";
import type { Redact } from "../base/redact.ts";
import type { Config } from "../contract/config.ts";

/** The daemon's log files, JSON lines, rotated by size and redacted as they are written. */
export interface LogFiles {
  /** `<name>.log`: `daemon`, `api`, `worker-1` ... Opened at its first use. */
  open(name: string): Log;
  setLevel(level: Config["logging"]["level"]): void;
  /** Resolves when all is on disk. */
  close(): Promise<void>;
}

export function createLogFiles(directory: string, logging: Config["logging"], redact: Redact): LogFiles {
  const files = new Map<string, { logger: Logger; stream: RotatingFileStream }>();
  let level = logging.level;

  function openFile(name: string): Logger {
    const known = files.get(name);
    if (known) return known.logger;
    const stream = createStream(`${name}.log`, { path: directory, size: `${logging.maxFileMB}M`, rotate: logging.maxFiles, mode: 0o600 });
    // A log that can't be written must not take the daemon down; the process's own stderr is what is left to say it on.
    stream.on("error", (error) => process.stderr.write(`drover: ${name}.log can't be written: ${error.message}\n`));
    const logger = pino(
      {
        level,
        base: null,
        formatters: { level: (label) => ({ level: label }) },
        hooks: { streamWrite: redact },
      },
      stream,
    );
    files.set(name, { logger, stream });
    return logger;
  }

  return {
    open: (name) => asLog(openFile(name)),
    setLevel(next) {
      level = next;
      for (const { logger } of files.values()) logger.level = next;
    },
    async close() {
      await Promise.all([...files.values()].map(({ stream }) => new Promise<void>((resolve) => stream.end(resolve))));
    },
  };
}

function asLog(logger: Logger): Log {
  return {
    debug: (message, fields: LogFields = {}) => logger.debug(fields, message),
    info: (message, fields: LogFields = {}) => logger.info(fields, message),
    warn: (message, fields: LogFields = {}) => logger.warn(fields, message),
    error: (message, fields: LogFields = {}) => logger.error(fields, message),
    child: (fields) => asLog(logger.child(fields)),
  };
}
