import { join } from "node:path";

/** Where everything of one Drover home lives. Files are 0600 and folders 0700. */
export interface HomePaths {
  readonly home: string;
  readonly config: string;
  /** The API token: JSON `{ "token": "..." }`. */
  readonly auth: string;
  /** SQLite file whose exclusive transaction is the single-instance lock. */
  readonly lock: string;
  /** JSON with the daemon's pid, start time and address; a hint for people and the CLI, never the lock. */
  readonly pid: string;
  readonly database: string;
  readonly backups: string;
  readonly logs: string;
  /** One folder a run: prompt, agent's streams, exit status. */
  readonly runs: string;
  /** One folder an agent host, while it lives. */
  readonly agentHosts: string;
  /** One folder a project: the daemon's own bare repository. */
  readonly repositories: string;
  /** One folder a task: the workspace its agent works in. */
  readonly workspaces: string;
}

export function homePaths(home: string): HomePaths {
  return {
    home,
    config: join(home, "config.yaml"),
    auth: join(home, "auth.json"),
    lock: join(home, "daemon.lock"),
    pid: join(home, "daemon.pid"),
    database: join(home, "data", "drover.db"),
    backups: join(home, "backups"),
    logs: join(home, "logs"),
    runs: join(home, "runs"),
    agentHosts: join(home, "agent-hosts"),
    repositories: join(home, "repositories"),
    workspaces: join(home, "workspaces"),
  };
}

/** For programs of ours, `NODE_COMPILE_CACHE`: that they are TypeScript costs each start 100 ms without it. */
export function compileCacheIn(home: string): string {
  return join(home, "cache", "node");
}
