import { existsSync } from "node:fs";
import { appendFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Event } from "../contract/event.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { Database } from "../store/database.ts";
import { eventsAfter, lastSequence } from "../store/events.ts";
import { findProject } from "../store/projects.ts";
import { findRun } from "../store/runs.ts";
import type { LogFiles } from "./log-files.ts";

const BATCH = 500;
/** A project's `agent.log` is moved to `agent.log.1` at this size, bytes. */
const AGENT_LOG_MAX = 10 * 1024 * 1024;

/**
 * Writes what happens in runs to where people look for it: `worker-N.log` of the home, and `.drover/agent.log` of the
 * project when it has a `.drover` folder. Follows the stored events, so nothing is written that did not happen.
 */
export class RunJournal {
  readonly #database: Database;
  readonly #files: LogFiles;
  readonly #log: Log;
  readonly #stopListening: () => void;
  /** Projects whose `agent.log` could not be written the last time. */
  readonly #unwritable = new Set<ProjectId>();
  #sequence: number;
  #writing: Promise<void> | undefined;

  constructor(database: Database, files: LogFiles, log: Log) {
    this.#database = database;
    this.#files = files;
    this.#log = log;
    this.#sequence = lastSequence(database.reader);
    this.#stopListening = database.onCommit(() => {
      this.#writing ??= this.#writeNew();
    });
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#writing;
  }

  async #writeNew(): Promise<void> {
    // Not before `#writing` is set: otherwise a commit without an event would leave it set for good.
    await Promise.resolve();
    try {
      for (let events = this.#next(); events.length > 0; events = this.#next()) {
        for (const event of events) {
          this.#sequence = event.sequence;
          await this.#write(event);
        }
      }
    } catch (thrown) {
      // The journal is a view for people; what it shows is in the database whatever happens here.
      this.#log.warn("run journal not written", { error: messageOf(thrown) });
    } finally {
      this.#writing = undefined;
    }
  }

  #next(): Event[] {
    return eventsAfter(this.#database.reader, this.#sequence, { limit: BATCH });
  }

  async #write(event: Event): Promise<void> {
    if (event.runId === null || event.projectId === null) return;
    const run = findRun(this.#database.reader, event.runId);
    if (!run) return;
    const fields = { task: run.taskKey, runId: run.id, ...event.data };
    this.#files.open(`worker-${run.worker}`).info(event.type, fields);
    await this.#writeToProject(event.projectId, `${JSON.stringify({ time: event.at, event: event.type, ...fields })}\n`);
  }

  async #writeToProject(projectId: ProjectId, line: string): Promise<void> {
    const project = findProject(this.#database.reader, projectId);
    if (!project || !existsSync(join(project.path, ".drover"))) return;
    const file = join(project.path, ".drover", "agent.log");
    try {
      await appendRotating(file, line);
      this.#unwritable.delete(projectId);
    } catch (thrown) {
      // A folder that can't be written is that project's alone; said once, since a run has hundreds of events.
      if (!this.#unwritable.has(projectId)) this.#log.warn("agent log not written", { file, error: messageOf(thrown) });
      this.#unwritable.add(projectId);
    }
  }
}

async function appendRotating(file: string, line: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > AGENT_LOG_MAX) await rename(file, `${file}.1`);
  await appendFile(file, line, { mode: 0o600 });
}
