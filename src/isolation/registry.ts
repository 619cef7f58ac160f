import type { Clock } from "../base/clock.ts";
import { createDocker } from "./docker.ts";
import type { Isolation } from "./isolation.ts";
import { processIsolation } from "./process.ts";
import { createSandbox } from "./sandbox.ts";
import { Tmux } from "./tmux.ts";

export interface IsolationOptions {
  readonly clock: Clock;
  /** The daemon's home, which stays hidden from what is confined. */
  readonly home: string;
  /** Names this daemon among the others of the machine. */
  readonly scope: string;
  /** The PATH on which the tools of isolations are found. */
  readonly path: string;
  /** Docker's; null: the usual place. */
  readonly dockerSocket: string | null;
}

const USUAL_SOCKET = "/var/run/docker.sock";

/** Every isolation by the name that the setting `defaults.isolation` uses. */
export function createIsolations({ clock, home, scope, path, dockerSocket }: IsolationOptions): ReadonlyMap<string, Isolation> {
  const docker = createDocker({ clock, scope, home, socket: dockerSocket ?? USUAL_SOCKET });
  const all = [processIsolation, new Tmux({ clock, scope, path }), docker, createSandbox({ clock, home, path })];
  return new Map(all.map((isolation) => [isolation.name, isolation]));
}
