import { join } from "node:path";
import type { AppError } from "../base/errors.ts";
import type { Config, ProjectConfig, Setting } from "../contract/config.ts";
import type { Project } from "../contract/project.ts";
import type { Settings } from "../engine/parts.ts";
import { ConfigWatch } from "../config/watch.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What every program that we start gets of the daemon's environment: how to find programs, people's language, a home. */
const BASIC_VARIABLES = ["HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "SSH_AUTH_SOCK", "TERM", "TMPDIR", "TZ", "USER"];
/** The agent gets no way to log in anywhere as the person. */
const NOT_FOR_AGENTS = new Set(["SSH_AUTH_SOCK"]);
/** How programs find the desktop of who is logged in. */
const DESKTOP_VARIABLES = ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"];
const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|API_KEY|CREDENTIAL|PRIVATE_KEY/i;

/** `file`: the home's or a project's; null where no file of them can be watched. */
export interface SettingsListener {
  onChange(keys: readonly string[], file: string): void;
  onRejected(error: AppError, file: string | null): void;
}

/** The configuration in force: the home's file, each project's own, the environment and flags; files are read anew when they change. */
export class LiveSettings implements Settings {
  readonly #env: Environment;
  readonly #watch: ConfigWatch;
  #listener: SettingsListener | undefined;

  /** Throws `invalid` when the home's file is wrong at the start. */
  constructor(globalFile: string, env: Environment, flags: Readonly<Record<string, unknown>>) {
    this.#env = env;
    this.#watch = new ConfigWatch({
      globalFile,
      env,
      flags,
      onChange: ({ file }, keys) => this.#listener?.onChange(keys, file),
      onRejected: (error, file) => this.#listener?.onRejected(error, file),
    });
  }

  /** Tells of changes from now on. */
  listen(listener: SettingsListener): void {
    this.#listener = listener;
  }

  stop(): Promise<void> {
    this.#listener = undefined;
    return this.#watch.stop();
  }

  current(): Config {
    return this.#watch.current().config;
  }

  forProject(project: Pick<Project, "path">): ProjectConfig {
    const file = configFile(project);
    this.#watch.watchProject(file);
    return this.#watch.project(file)?.config ?? this.current();
  }

  isKnown(project: Project): boolean {
    const file = configFile(project);
    this.#watch.watchProject(file);
    return this.#watch.project(file) !== undefined;
  }

  list(project: Project | null): Setting[] {
    if (project === null) return this.#watch.current().settings();
    this.forProject(project);
    return this.#watch.project(configFile(project))?.settings() ?? this.#watch.current().settings();
  }

  error(project: Project | null): string | null {
    return this.#watch.errorOf(project === null ? this.#watch.current().file : configFile(project))?.message ?? null;
  }

  /** Whether a file is the project's own. */
  isOf(project: Project, file: string | null): boolean {
    return configFile(project) === file;
  }

  secret(variable: string): string | undefined {
    return this.#env[variable] || undefined;
  }

  /** The values of the environment that look like secrets by their names, or are: keys of providers, and addresses of channels. */
  secrets(): string[] {
    const { alerts, providers } = this.current();
    const known = new Set([
      ...Object.values(alerts.channels).flatMap(({ urlVariable, tokenVariable }) => [urlVariable, tokenVariable]),
      ...Object.values(providers).map(({ keyVariable }) => keyVariable),
    ]);
    return Object.entries(this.#env).flatMap(([name, value]) => (value && (SECRET_NAME.test(name) || known.has(name)) ? [value] : []));
  }

  environment(names: readonly string[]): Record<string, string> {
    return agentEnvironment(this.#env, names);
  }

  /** What a program of the person's desktop needs to show something there. */
  desktopEnvironment(): Record<string, string> {
    return select(this.#env, [...BASIC_VARIABLES.filter((name) => !NOT_FOR_AGENTS.has(name)), ...DESKTOP_VARIABLES]);
  }

  /** What git may see: the basics, and the person's ssh agent. */
  gitEnvironment(): Record<string, string> {
    return select(this.#env, BASIC_VARIABLES);
  }
}

/** An environment reduced to the basics and these names: what an agent or a check gets. */
export function agentEnvironment(env: Environment, names: readonly string[]): Record<string, string> {
  return select(env, [...BASIC_VARIABLES.filter((name) => !NOT_FOR_AGENTS.has(name)), ...names]);
}

function select(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function configFile({ path }: Pick<Project, "path">): string {
  return join(path, ".drover", "config.yaml");
}
