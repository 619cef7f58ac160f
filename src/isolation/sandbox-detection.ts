import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { runCommand } from "../process/command.ts";
import type { Availability } from "./isolation.ts";

const TRY_WITHIN_MS = 20_000;
const INSTALL = "Install bubblewrap (apt-get install bubblewrap, dnf install bubblewrap).";

/** Whether this system has a sandbox that works. `path`: the PATH on which bubblewrap is found. */
export async function detectSandbox(clock: Clock, path: string, signal: AbortSignal): Promise<Availability> {
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
