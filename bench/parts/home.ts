import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "../../src/client/client.ts";
import { createDaemon, type Daemon } from "../../src/daemon/daemon.ts";
import type { EngineParts } from "../../src/engine/parts.ts";
import type { Database } from "../../src/store/database.ts";
import { hasPendingEffects } from "../../src/store/effects.ts";
import { countTasks } from "../../src/store/tasks.ts";

/** Long enough for what goes on beside the work (the journal, timers of zero) to be over. */
const REST_MS = 3;

/** A folder with a home in it and the real daemon in this very process. */
export interface Home extends AsyncDisposable {
  readonly folder: string;
  readonly database: Database;
  readonly url: string;
  readonly token: string;
  readonly client: Client;
  /** What the daemon finds in its environment besides the basics. */
  readonly env: Record<string, string>;
  start(decorate?: (parts: EngineParts) => EngineParts): Promise<void>;
  /** Nothing waits, runs or is to be published. */
  untilIdle(): Promise<void>;
}

export async function openHome(config: { daemon?: object; [section: string]: unknown }): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "drover-bench-"));
  const home = join(folder, "home");
  await mkdir(home, { mode: 0o700 });
  // YAML contains JSON.
  await writeFile(
    join(home, "config.yaml"),
    JSON.stringify({ version: 1, ...config, daemon: { port: 0, queueMax: 1_000_000, ...config.daemon } }),
  );
  let running: { daemon: Daemon; database: Database; client: Client } | undefined;
  const more: Record<string, string> = {};
  const now = () => {
    if (!running) throw new Error("The daemon does not run.");
    return running;
  };
  return {
    folder,
    env: more,
    get database() {
      return now().database;
    },
    get url() {
      return now().daemon.url;
    },
    get token() {
      return now().daemon.token;
    },
    get client() {
      return now().client;
    },
    async start(decorate = (parts) => parts) {
      let database: Database | undefined;
      const env = { PATH: process.env["PATH"], HOME: folder, LANG: "C.UTF-8", ...more };
      const daemon = await createDaemon(
        { home, env, onFatal: (error) => process.emitWarning(error) },
        {
          decorate(parts) {
            database = parts.database;
            return decorate(parts);
          },
        },
      );
      if (database) running = { daemon, database, client: createClient(daemon) };
    },
    async untilIdle() {
      const { database } = now();
      await until(database, () => {
        const { queued, running: open } = countTasks(database.reader);
        return queued + open === 0 && !hasPendingEffects(database.reader);
      });
      await sleep(REST_MS);
    },
    async [Symbol.asyncDispose]() {
      await running?.daemon.stop("kill");
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Resolves as soon as a commit makes it so. */
export function until(database: Database, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isSo()) return resolve();
    const stop = database.onCommit(() => {
      if (!isSo()) return;
      stop();
      resolve();
    });
  });
}
