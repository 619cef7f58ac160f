import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../base/clock.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { compileCacheIn } from "../base/paths.ts";
import type { HeldCommand } from "../process/host.ts";
import { loopbackPorts } from "./allow-list.ts";
import { containerLimits, containerOf, LABELS } from "./docker-container.ts";
import { DockerEngine } from "./docker-engine.ts";
import { DockerImages } from "./docker-images.ts";
import type { DockerPlan } from "./docker-plan.ts";
import type { Availability, Isolation, WrapRequest } from "./isolation.ts";

export interface DockerOptions {
  readonly clock: Clock;
  /** Names this daemon among the others that use the engine. */
  readonly scope: string;
  /** The daemon's home. */
  readonly home: string;
  /** The engine's unix socket. */
  readonly socket: string;
}

const PROGRAM = fileURLToPath(new URL("docker-program.ts", import.meta.url));

/**
 * A container for each command, from an image of the project (see `docker-images.ts`). It is made here and started by the
 * program that is held; that removes it too, and what it can't any more `release` and `sweep` find by its labels.
 */
export function createDocker({ clock, scope, home, socket }: DockerOptions): Isolation {
  const engine = new DockerEngine(socket);
  const images = new DockerImages(engine, clock);

  async function detect(signal: AbortSignal): Promise<Availability> {
    try {
      const { Version, Os } = await engine.json<{ Version: string; Os: string }>("GET", "/version", undefined, signal);
      if (Os === "linux") return { available: true, version: `Docker ${Version}` };
      return { available: false, message: `Docker's engine runs ${Os} containers; Linux ones are needed.` };
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof AppError)) throw thrown;
      return { available: false, message: `${thrown.message} Install Docker, start its engine, or set docker.socket.` };
    }
  }

  async function wrap(request: WrapRequest, signal: AbortSignal): Promise<HeldCommand> {
    const { command } = request;
    await mkdir(request.configDirectory, { recursive: true, mode: 0o700 });
    const image = await images.make(request, signal);
    const container = await create(await containerOf(request, image, scope), signal);
    const planFile = `${command.directory}-docker.json`;
    const ways = loopbackPorts(request.reach.hosts).map((port) => ({ port, socket: join(request.configDirectory, `${port}.sock`) }));
    const plan: DockerPlan = { socket, container, outOfMemory: join(command.directory, "out-of-memory"), ways };
    return {
      ...command,
      argv: [process.execPath, PROGRAM, planFile],
      // The command's own are the container's.
      env: { PATH: command.env["PATH"] ?? "", NODE_COMPILE_CACHE: compileCacheIn(home) },
      files: { ...command.files, [planFile]: JSON.stringify(plan) },
    };
  }

  async function create(container: object, signal: AbortSignal): Promise<string> {
    try {
      return (await engine.json<{ Id: string }>("POST", "/containers/create", { json: container }, signal)).Id;
    } catch (thrown) {
      signal.throwIfAborted();
      const cause = toAppError(thrown);
      throw new AppError("conflict", `The container could not be made: ${cause.message}`, { reason: "isolation_failed", cause });
    }
  }

  async function containers(labels: readonly string[]): Promise<{ Id: string; Labels: Record<string, string> }[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: labels }));
    return engine.json("GET", `/containers/json?all=1&filters=${filters}`);
  }

  async function containersOf(marker: string): Promise<{ Id: string }[]> {
    // An engine that is stopped ends its containers and takes its socket away.
    return (await isThere(socket)) ? containers([`${LABELS.scope}=${scope}`, `${LABELS.run}=${marker}`]) : [];
  }

  const remove = (container: string) => engine.text("DELETE", `/containers/${container}?force=1&v=1`);

  return {
    name: "docker",
    confines: true,
    detect,
    bringsAgent: ({ docker }) => docker.setup !== null,
    wrap,

    async release(marker) {
      for (const { Id } of await containersOf(marker)) await unlessGone(remove(Id));
    },

    async limit(marker, limits) {
      const json = containerLimits(limits);
      for (const { Id } of await containersOf(marker)) await unlessGone(engine.text("POST", `/containers/${Id}/update`, { json }));
    },

    async sweep(isWanted) {
      // Most machines have no engine, and most daemons that could ask one have nothing there.
      if (!(await isThere(socket))) return [];
      const found = (await containers([`${LABELS.scope}=${scope}`])).map(({ Id, Labels }) => ({ Id, marker: Labels[LABELS.run] ?? "" }));
      const unwanted = found.filter(({ marker }) => !isWanted(marker));
      for (const { Id } of unwanted) await unlessGone(remove(Id));
      return [...new Set(unwanted.map(({ marker }) => marker))];
    },
  };
}

/** A container may be gone, or going, whenever it is spoken of: the program that was held removes it too. */
async function unlessGone(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (thrown) {
    if (!(thrown instanceof AppError && (thrown.code === "not_found" || thrown.code === "conflict"))) throw thrown;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false; // where there is no socket there is no engine
  }
}
