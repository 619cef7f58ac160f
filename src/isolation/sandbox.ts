import { mkdir, realpath } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { runCommand } from "../process/command.ts";
import type { HeldCommand } from "../process/host.ts";
import { hostsOfVariables, loopbackPorts } from "./allow-list.ts";
import { bubblewrapArguments } from "./bubblewrap.ts";
import type { Availability, Isolation, WrapRequest } from "./isolation.ts";
import { compileCacheIn, findPrograms } from "./programs.ts";
import type { SandboxPlan } from "./sandbox-plan.ts";
import { sandboxSpace, type SandboxSpace } from "./sandbox-space.ts";
import { seatbeltProfile } from "./seatbelt.ts";

export interface SandboxOptions {
  readonly clock: Clock;
  /** The daemon's home, which stays hidden. */
  readonly home: string;
  /** The PATH on which bubblewrap is found. */
  readonly path: string;
}

const PROGRAM = fileURLToPath(new URL("sandbox-program.ts", import.meta.url));
const INSIDE = fileURLToPath(new URL("sandbox-inside.cjs", import.meta.url));
const TRY_WITHIN_MS = 20_000;
const INSTALL = "Install bubblewrap (apt-get install bubblewrap, dnf install bubblewrap).";

/**
 * The system's sandbox: bubblewrap on Linux, Seatbelt on macOS. Writes go to the workspace, the run's own folder and a
 * temporary one; the person's home, other homes and Drover's own stay unseen; the network is a proxy of ours that leads to
 * the agent's provider and `sandbox.allowedHosts`.
 */
export function createSandbox({ clock, home, path }: SandboxOptions): Isolation {
  async function detect(signal: AbortSignal): Promise<Availability> {
    if (process.platform === "darwin") return { available: true, version: "Seatbelt" };
    if (process.platform !== "linux") return { available: false, message: "There is a sandbox for Linux and macOS only." };
    const options = { cwd: "/", env: { PATH: path }, timeoutMs: TRY_WITHIN_MS, maxOutputBytes: 64 * 1024, clock, signal };
    try {
      const tried = await runCommand(["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "bwrap", "--version"], options);
      if (tried.exitCode === 0) return { available: true, version: tried.stdout.trim() };
      return { available: false, message: `bubblewrap does not work here: ${tried.stderr.trim()}. The system must allow user namespaces.` };
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof AppError)) throw thrown;
      return { available: false, message: INSTALL };
    }
  }

  async function wrap(request: WrapRequest): Promise<HeldCommand> {
    const { command, configDirectory, config, reach } = request;
    await mkdir(configDirectory, { recursive: true, mode: 0o700 });
    const { argv, files } = await findPrograms(request);
    const space = await sandboxSpace(request, files, home);
    const hosts = [...config.sandbox.allowedHosts, ...reach.hosts, ...hostsOfVariables(command.env)];
    const sandbox =
      process.platform === "darwin" ? ofSeatbelt(argv, space, hosts) : await ofBubblewrap(argv, request.workspace, space, hosts);
    const compileCache = compileCacheIn(home);
    const plan: SandboxPlan = { ...sandbox, hosts, compileCache };
    const planFile = `${command.directory}-sandbox.json`;
    return {
      ...command,
      argv: [process.execPath, PROGRAM, planFile],
      env: {
        NODE_COMPILE_CACHE: compileCache,
        ...command.env,
        // A temporary folder of the person's would not be there.
        ...("TMPDIR" in command.env && process.platform !== "darwin" ? { TMPDIR: "/tmp" } : {}),
      },
      files: { ...command.files, [planFile]: JSON.stringify(plan) },
    };
  }

  return {
    name: "sandbox",
    confines: true,
    detect,
    bringsAgent: () => false,
    wrap,
    // All of it are processes that carry the run's marker.
    release: async () => {},
    sweep: async () => [],
  };
}

/**
 * What becomes the command: hands over the listening sockets first. Only the streams go on to the command, not the
 * descriptors that the program outside talks by.
 */
const ENTER =
  '"$1" "$2" $3 </dev/null || exit 126; shift 3; unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE PWD OLDPWD SHLVL; exec "$@" 3>&- 4>&-';

type Argv = HeldCommand["argv"];

async function ofBubblewrap(
  argv: Argv,
  workspace: string,
  space: SandboxSpace,
  hosts: readonly string[],
): Promise<Pick<SandboxPlan, "argv" | "inside">> {
  const ports = loopbackPorts(hosts);
  const proxyPort = [3128, 3129].find((port) => !ports.includes(port)) ?? 3130;
  const enter = ["/bin/sh", "-c", ENTER, "sh", process.execPath, INSIDE, [proxyPort, ...ports].join(" ")];
  return { argv: [...bubblewrapArguments(space, await realpath(workspace)), ...enter, ...argv], inside: { proxyPort, ports } };
}

function ofSeatbelt(argv: Argv, space: SandboxSpace, hosts: readonly string[]): Pick<SandboxPlan, "argv" | "inside"> {
  return { argv: ["sandbox-exec", "-p", seatbeltProfile(space, loopbackPorts(hosts)), ...argv], inside: null };
}
