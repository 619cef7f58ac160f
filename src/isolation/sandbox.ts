import { mkdir, realpath } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { compileCacheIn } from "../base/paths.ts";
import type { HeldCommand } from "../process/host.ts";
import { hostsOfVariables } from "./allow-list.ts";
import type { Isolation, WrapRequest } from "./isolation.ts";
import { findPrograms } from "./programs.ts";
import { detectSandbox } from "./sandbox-detection.ts";
import { planSandbox, sandboxCommand, type SandboxPlan } from "./sandbox-plan.ts";
import { sandboxSpace } from "./sandbox-space.ts";

export interface SandboxOptions {
  readonly clock: Clock;
  /** The daemon's home, which stays hidden. */
  readonly home: string;
  /** The PATH on which bubblewrap is found. */
  readonly path: string;
}

/**
 * The system's sandbox: bubblewrap on Linux, Seatbelt on macOS. Writes go to the workspace, the run's own folder and a
 * temporary one; the person's home, other homes and Drover's own stay unseen; the network is a proxy of ours that leads to
 * the agent's provider and `sandbox.allowedHosts`.
 */
export function createSandbox({ clock, home, path }: SandboxOptions): Isolation {
  async function wrap(request: WrapRequest): Promise<HeldCommand> {
    const { command, workspace, configDirectory, config, reach } = request;
    await mkdir(configDirectory, { recursive: true, mode: 0o700 });
    const { argv, files } = await findPrograms(request);
    const space = await sandboxSpace({
      env: command.env,
      home,
      readable: [...files, ...config.sandbox.readable],
      writable: [workspace, configDirectory, ...reach.files],
    });
    const hosts = [...config.sandbox.allowedHosts, ...reach.hosts, ...hostsOfVariables(command.env)];
    const compileCache = compileCacheIn(home);
    const plan: SandboxPlan = { ...planSandbox(argv, await realpath(workspace), space, hosts), compileCache, refusals: null };
    const planFile = `${command.directory}-sandbox.json`;
    return {
      ...command,
      argv: sandboxCommand(planFile),
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
    detect: (signal) => detectSandbox(clock, path, signal),
    bringsAgent: () => false,
    wrap,
    // All of it are processes that carry the run's marker.
    release: async () => {},
    sweep: async () => [],
  };
}
