import { stat } from "node:fs/promises";
import { delimiter } from "node:path";
import type { RunLimits } from "../process/limits.ts";
import type { WrapRequest } from "./isolation.ts";
import { existing, findPrograms, type FoundPrograms } from "./programs.ts";

const WORKSPACE = "/workspace";
/** Where containers and images say whose they are. */
export const LABELS = { scope: "drover.scope", run: "drover.run", task: "drover.task", project: "drover.project" } as const;

/** A container may have so many processes where no limit is set: enough for any build, too few for a fork bomb. */
const PROCESSES_MAX = 4096;
/** Of this machine; in a container they would lead nowhere. The PATH is the image's. */
const NOT_INSIDE = new Set(["PATH", "HOME", "TMPDIR", "SHELL", "USER", "LOGNAME", "SSH_AUTH_SOCK"]);
/** What the engine keeps of the output for `docker logs`; all of it is in the run's own files. */
const LOGS = { Type: "local", Config: { "max-size": "10m", "max-file": "2" } };

/**
 * The container of a command, as the engine wants it described. The workspace is `/workspace`; the run's own folder, which
 * is HOME, and whatever is mounted besides are where they are outside. Nothing of root's rights but by `docker.privileged`.
 */
export async function containerOf(request: WrapRequest, image: string, scope: string): Promise<object> {
  const { command, workspace, configDirectory, config, project, title } = request;
  const { privileged, mounts } = config.docker;
  const { uid, gid } = await stat(workspace);
  const programs = await mounted(request);
  const own = ownFolders(request);
  const inside = (text: string) => text.replaceAll(workspace, WORKSPACE);
  const kept = Object.entries(command.env).filter(([name]) => !NOT_INSIDE.has(name));
  const env = { ...Object.fromEntries(kept), HOME: configDirectory, DROVER_RUN: command.marker, DROVER_SCOPE: scope };
  return {
    Image: image,
    Entrypoint: [],
    Cmd: withOwn(own, programs.argv).map(inside),
    Env: Object.entries(env).map(([name, value]) => `${name}=${inside(value)}`),
    WorkingDir: WORKSPACE,
    User: `${uid}:${gid}`,
    OpenStdin: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Labels: { [LABELS.scope]: scope, [LABELS.run]: command.marker, [LABELS.task]: title, [LABELS.project]: project.name },
    HostConfig: {
      Mounts: [
        bind(workspace, WORKSPACE, false),
        bind(configDirectory, configDirectory, false),
        ...(await existing(request.reach.files)).map((path) => bind(path, path, false)),
        ...[...new Set([...programs.files, ...nodeFor(own), ...mounts])].map((path) => bind(path, path, true)),
      ],
      NetworkMode: "bridge",
      Init: true,
      LogConfig: LOGS,
      ...containerLimits(command.limits),
      ...(privileged ? { Privileged: true } : { CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] }),
    },
  };
}

/** Limits in the engine's words. Without swap, as everywhere. */
export function containerLimits({ memoryBytes, cpus, processes }: RunLimits): object {
  return {
    PidsLimit: processes ?? PROCESSES_MAX,
    ...(memoryBytes === null ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(cpus === null ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
  };
}

/** This machine's own programs, unless the image is to have the agent. */
async function mounted(request: WrapRequest): Promise<FoundPrograms> {
  if (request.config.docker.setup !== null || process.platform !== "linux") return { argv: request.command.argv, files: [] };
  return findPrograms(request);
}

/** What stands on the command's PATH and is in its own folder, and so there inside too. */
function ownFolders({ command, configDirectory }: WrapRequest): string[] {
  return (command.env["PATH"] ?? "").split(delimiter).filter((folder) => folder.startsWith(`${configDirectory}/`));
}

/** Programs of ours need Node.js, which an image may not have. */
function nodeFor(own: readonly string[]): string[] {
  return own.length > 0 && process.platform === "linux" ? [process.execPath] : [];
}

/** The command with such folders before the PATH of the image, which is not known out here. */
function withOwn(own: readonly string[], argv: readonly string[]): readonly string[] {
  return own.length === 0 ? argv : ["/bin/sh", "-c", 'PATH="$0:$PATH"; exec "$@"', own.join(delimiter), ...argv];
}

function bind(source: string, target: string, isReadOnly: boolean): object {
  return { Type: "bind", Source: source, Target: target, ReadOnly: isReadOnly };
}
