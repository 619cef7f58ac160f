import { type FSWatcher, watch } from "chokidar";
import { AppError, messageOf, toAppError } from "../base/errors.ts";
import { projectSections, type Setting } from "../contract/config.ts";
import { readConfigText } from "./file.ts";
import { recordVersion } from "./history.ts";
import { checkProjectText, type LoadedConfig, type LoadedProjectConfig, loadConfig } from "./load.ts";
import type { Environment } from "./text-value.ts";

export interface ConfigWatchOptions {
  readonly globalFile: string;
  readonly env: Environment;
  readonly flags?: Readonly<Record<string, unknown>>;
  /** The files of the projects that are known at the start; `watchProject` adds others. */
  readonly projectFiles?: readonly string[];
  /**
   * A configuration took effect: the daemon's, or a project's (`loaded.file` says which), because its own file or the
   * home's was changed. No keys: its file is right again and says what was in force all the while.
   */
  onChange(loaded: LoadedConfig | LoadedProjectConfig, changedKeys: readonly string[]): void;
  /** A file was not accepted, and what was in force stays; or, with the file null, files cannot be watched. */
  onRejected(error: AppError, file: string | null): void;
}

/** A file is read when it has not grown for this long, so that none is read half written. */
const SETTLED_MS = 100;

interface WatchedProject {
  /** The text of its file when that was last accepted. */
  text: string | undefined;
  loaded: LoadedProjectConfig | undefined;
}

/**
 * The configuration in force: loaded at once, and kept up to date until stopped. The constructor throws like `loadConfig`
 * when the home's file is wrong; from then on a wrong file changes nothing but `errorOf`.
 */
export class ConfigWatch implements AsyncDisposable {
  readonly #options: ConfigWatchOptions;
  readonly #projects = new Map<string, WatchedProject>();
  readonly #errors = new Map<string, AppError>();
  readonly #watcher: FSWatcher;
  #current: LoadedConfig;
  #version: number | null;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#current = loadConfig(options);
    this.#version = this.#record(this.#current);
    // The initial scan reports every file once, so that no change between loading and watching is missed.
    const awaitWriteFinish = { stabilityThreshold: SETTLED_MS, pollInterval: SETTLED_MS / 5 };
    this.#watcher = watch(options.globalFile, { ignoreInitial: false, awaitWriteFinish, ignorePermissionErrors: true });
    this.#watcher.on("all", (_event, path) => this.#onFile(path));
    this.#watcher.on("error", (thrown) => {
      const message = `Changes of configuration files are not noticed before the next start: ${messageOf(thrown)}.`;
      options.onRejected(new AppError("unavailable", message, { cause: thrown }), null);
    });
    for (const file of options.projectFiles ?? []) this.watchProject(file);
  }

  /** The configuration in force. */
  current(): LoadedConfig {
    return this.#current;
  }

  /** The number of the home's file in force among its kept versions; null when there is no file. */
  get version(): number | null {
    return this.#version;
  }

  /** A project's configuration in force; undefined as long as its file was never right, or when it is not watched. */
  project(file: string): LoadedProjectConfig | undefined {
    return this.#projects.get(file)?.loaded;
  }

  /** What is wrong with a file now; undefined: nothing. */
  errorOf(file: string): AppError | undefined {
    return this.#errors.get(file);
  }

  /** Loads a project's file and watches it from now on. Nobody is told; `project` and `errorOf` show how it went. */
  watchProject(file: string): void {
    if (this.#projects.has(file)) return;
    this.#projects.set(file, { text: undefined, loaded: undefined });
    this.#loadProject(file);
    this.#watcher.add(file);
  }

  unwatchProject(file: string): void {
    this.#projects.delete(file);
    this.#errors.delete(file);
    this.#watcher.unwatch(file);
  }

  async stop(): Promise<void> {
    await this.#watcher.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #onFile(path: string): void {
    if (path === this.#options.globalFile) this.#reload();
    else if (this.#projects.has(path)) this.#reloadProject(path);
  }

  #reload(): void {
    const file = this.#options.globalFile;
    const before = this.#current;
    try {
      const loaded = loadConfig(this.#options);
      this.#version = this.#record(loaded);
      this.#current = loaded;
    } catch (thrown) {
      const error = toAppError(thrown);
      const isKnown = this.#errors.get(file)?.message === error.message;
      this.#errors.set(file, error);
      if (!isKnown) this.#options.onRejected(error, file);
      return;
    }
    this.#tell(this.#current, changedKeys(before.settings(), this.#current.settings()), this.#errors.delete(file));
    if (before.text !== this.#current.text) for (const project of this.#projects.keys()) this.#reloadProject(project);
  }

  #reloadProject(file: string): void {
    const before = this.project(file)?.settings() ?? [];
    const known = this.#errors.get(file);
    this.#loadProject(file);
    const error = this.#errors.get(file);
    if (error !== undefined && error.message !== known?.message) this.#options.onRejected(error, file);
    const loaded = this.project(file);
    if (loaded === undefined) return;
    const ofProject = (settings: readonly Setting[]) => settings.filter(({ key }) => projectSections.some((section) => isIn(section, key)));
    this.#tell(loaded, changedKeys(ofProject(before), ofProject(loaded.settings())), known !== undefined && error === undefined);
  }

  #loadProject(file: string): void {
    const project = this.#projects.get(file);
    if (project === undefined) return;
    try {
      const text = readConfigText(file);
      project.loaded = checkProjectText(this.#current, file, text);
      project.text = text;
      this.#errors.delete(file);
    } catch (thrown) {
      this.#errors.set(file, toAppError(thrown));
      if (project.loaded !== undefined) project.loaded = this.#rebased(file, project.loaded, project.text);
    }
  }

  /** What is in force for a project whose file is wrong now, under the present limits of the home's file. */
  #rebased(file: string, loaded: LoadedProjectConfig, text: string | undefined): LoadedProjectConfig {
    try {
      return checkProjectText(this.#current, file, text);
    } catch {
      // It does not fit the home's file any more, which the error about its present text need not show. It stays in force.
      return loaded;
    }
  }

  #record({ file, text }: LoadedConfig): number | null {
    return text === undefined ? null : recordVersion(file, text).version;
  }

  #tell(loaded: LoadedConfig | LoadedProjectConfig, keys: readonly string[], isRightAgain: boolean): void {
    if (keys.length > 0 || isRightAgain) this.#options.onChange(loaded, keys);
  }
}

function isIn(section: string, key: string): boolean {
  return key === section || key.startsWith(`${section}.`);
}

function changedKeys(before: readonly Setting[], after: readonly Setting[]): string[] {
  const old = new Map(before.map(({ key, value }) => [key, JSON.stringify(value)]));
  const changed = after.filter(({ key, value }) => old.get(key) !== JSON.stringify(value)).map(({ key }) => key);
  const present = new Set(after.map(({ key }) => key));
  return [...changed, ...[...old.keys()].filter((key) => !present.has(key))];
}
