import { join } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import type { CancelTimer, Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { HomePaths } from "../base/paths.ts";
import type { Project } from "../contract/project.ts";
import type { WorkflowFiles, WorkflowLibrary } from "../engine/workflow-library.ts";
import type { Database } from "../store/database.ts";
import { listProjects } from "../store/projects.ts";
import { builtinFolder, readWorkflowFolder } from "../workflow/sources.ts";

/** Files are read when none has changed for this long, so that what belongs together is taken together. */
const SETTLED_MS = 100;

const projectFolder = ({ path }: Pick<Project, "path">) => join(path, ".drover", "workflows");
const symphonyFile = ({ path }: Pick<Project, "path">) => join(path, "WORKFLOW.md");

/** Where workflows are read from: the program, the home's `workflows/`, and a project's `.drover/workflows/` and `WORKFLOW.md`. */
export function workflowFiles({ home }: Pick<HomePaths, "home">): WorkflowFiles {
  return {
    common: () => [readWorkflowFolder(builtinFolder), readWorkflowFolder(join(home, "workflows"))],
    ofProject: (project) => readWorkflowFolder(projectFolder(project), symphonyFile(project)),
  };
}

export interface WorkflowWatchParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly paths: HomePaths;
  readonly database: Database;
  readonly workflows: WorkflowLibrary;
}

/** Has the library read the workflows again when their files change, or a project comes. */
export class WorkflowWatch {
  readonly #parts: WorkflowWatchParts;
  #watcher: FSWatcher | undefined;
  #projects = new Set<string>();
  #cancelTimer: CancelTimer = () => {};
  #stopListening: () => void = () => {};
  #refreshing: Promise<void> = Promise.resolve();

  constructor(parts: WorkflowWatchParts) {
    this.#parts = parts;
  }

  /** Resolves when what the files hold now is in force. */
  async start(): Promise<void> {
    const { database, paths, log } = this.#parts;
    await this.#refresh();
    this.#watcher = watch(join(paths.home, "workflows"), { ignoreInitial: true, depth: 1 });
    this.#watcher.on("all", () => this.#refreshSoon());
    this.#watcher.on("error", (thrown) =>
      log.warn("workflows can't be watched; they are read at the next start", { error: messageOf(thrown) }),
    );
    this.#watchProjects();
    this.#stopListening = database.onCommit((changed) => {
      if (changed.has("projects") && this.#watchProjects()) this.#refreshSoon();
    });
  }

  async stop(): Promise<void> {
    this.#stopListening();
    this.#cancelTimer();
    await this.#watcher?.close();
    await this.#refreshing;
  }

  /** Whether a project came that was not watched. */
  #watchProjects(): boolean {
    const projects = listProjects(this.#parts.database.reader);
    const fresh = projects.filter(({ id }) => !this.#projects.has(id));
    this.#watcher?.add(fresh.flatMap((project) => [projectFolder(project), symphonyFile(project)]));
    this.#projects = new Set(projects.map(({ id }) => id));
    return fresh.length > 0;
  }

  #refreshSoon(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#parts.clock.setTimer(SETTLED_MS, () => void this.#refresh());
  }

  /** One after the other, so that what was read last is what counts. */
  #refresh(): Promise<void> {
    const { workflows, database, log } = this.#parts;
    this.#refreshing = this.#refreshing
      .then(() => workflows.refresh(listProjects(database.reader)))
      .catch((thrown: unknown) => log.error("workflows could not be read; those in force stay", { error: messageOf(thrown) }));
    return this.#refreshing;
  }
}
