import { AppError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { safeText } from "../base/text.ts";
import { runCommand, type CommandResult } from "../process/command.ts";

export interface GitIdentity {
  readonly name: string;
  readonly email: string;
}

export interface GitCall {
  /** The repository's own folder (GIT_DIR). Git looks for no other and reads no other configuration. Left out: git finds it from `cwd`. */
  readonly repository?: string;
  /** A folder of files that need not be the repository's own. */
  readonly workTree?: string;
  /** The index to work on in place of the repository's. */
  readonly index?: string;
  readonly cwd?: string;
  /** Written to stdin. */
  readonly input?: string;
  /** Configuration of this call, handed over by environment: not in the arguments that every user of the machine can see. */
  readonly config?: Readonly<Record<string, string>>;
  /** Whether the person's own settings count too, below ours. */
  readonly personal?: boolean;
  /** What commits made by the call are dated (default: now). */
  readonly at?: number;
  /** Who wrote the commit that the call makes, where that is not us. `date` as git takes it: `@1767262500 +0100`. */
  readonly author?: GitIdentity & { readonly date: string };
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Git as the daemon runs it: with its own configuration, without hooks, prompts or the person's settings. */
export interface Git {
  /** Every exit code is a result. */
  run(args: readonly string[], call: GitCall): Promise<CommandResult>;
  /** What it prints. Throws when it fails: `unavailable` for a full disk, else `internal`, for a fault of ours or a broken repository. */
  print(args: readonly string[], call: GitCall): Promise<string>;
}

export interface GitOptions {
  /** HOME, PATH, and SSH_AUTH_SOCK where there is an agent: for ssh, which uses the person's keys. */
  readonly env: Readonly<Record<string, string>>;
  readonly identity: GitIdentity;
  readonly clock: Clock;
}

const LOCAL_TIMEOUT_MS = 10 * 60_000;
const OUTPUT_MAX_BYTES = 128 * 1024 * 1024;

/**
 * In force for every call, above all files. What could run a program is off, and only transports that the person means
 * are allowed (`ext::` would run a command). `core.fsync`: what is saved outlives a power cut, for the workspace it came
 * from is removed (git before 2.36 ignores it).
 */
const CONFIG: Readonly<Record<string, string>> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.attributesFile": "/dev/null",
  "core.excludesFile": "/dev/null",
  "core.autocrlf": "false",
  "core.safecrlf": "false",
  "core.quotePath": "false",
  "core.bigFileThreshold": "16m",
  "core.filesRefLockTimeout": "5000",
  "core.packedRefsTimeout": "5000",
  "core.fsync": "committed,loose-object,reference",
  "core.fsyncMethod": "batch",
  "credential.helper": "",
  "commit.gpgSign": "false",
  "submodule.recurse": "false",
  "fetch.recurseSubmodules": "false",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "protocol.allow": "never",
  "protocol.file.allow": "always",
  "protocol.https.allow": "always",
  "protocol.http.allow": "always",
  "protocol.ssh.allow": "always",
  "http.lowSpeedLimit": "1000",
  "http.lowSpeedTime": "60",
};

export function createGit({ env, identity, clock }: GitOptions): Git {
  function run(args: readonly string[], call: GitCall): Promise<CommandResult> {
    return runCommand(["git", ...args], {
      cwd: call.cwd ?? call.workTree ?? call.repository ?? "/",
      env: environmentOf(call),
      input: call.input ?? "",
      timeoutMs: call.timeoutMs ?? LOCAL_TIMEOUT_MS,
      maxOutputBytes: OUTPUT_MAX_BYTES,
      clock,
      signal: call.signal ?? new AbortController().signal,
    });
  }

  function environmentOf(call: GitCall): Record<string, string> {
    const date = `@${Math.floor((call.at ?? clock.now()) / 1000)} +0000`;
    const author = call.author ?? { ...identity, date };
    return {
      ...env,
      LC_ALL: "C",
      ...(call.personal ? {} : { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" }),
      GIT_ATTR_NOSYSTEM: "1",
      GIT_NO_REPLACE_OBJECTS: "1",
      GIT_NO_LAZY_FETCH: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_SSH_COMMAND: "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15",
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: author.date,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
      GIT_COMMITTER_DATE: date,
      ...(call.repository === undefined ? {} : { GIT_DIR: call.repository }),
      ...(call.workTree === undefined ? {} : { GIT_WORK_TREE: call.workTree }),
      ...(call.index === undefined ? {} : { GIT_INDEX_FILE: call.index }),
      ...configVariables({ ...CONFIG, ...call.config }),
    };
  }

  async function print(args: readonly string[], call: GitCall): Promise<string> {
    const result = await run(args, call);
    if (result.exitCode === 0) return result.stdout;
    throw gitFailure(args, call, result);
  }

  return { run, print };
}

/** Lines for `git update-index -z --index-info` that take paths out of an index. */
export function removals(paths: readonly string[]): string {
  return paths.map((path) => `0 ${"0".repeat(40)}\t${path}\0`).join("");
}

/** The failure of a local git command that should not have failed. */
export function gitFailure(args: readonly string[], call: GitCall, { exitCode, stderr }: CommandResult): AppError {
  const place = call.workTree ?? call.repository ?? call.cwd;
  const said = safeText(stderr).trim();
  if (/No space left on device|Disk quota exceeded/.test(stderr)) {
    return new AppError("unavailable", `The disk of ${place} is full: git ${args[0]} could not write. Make room.`, { stderr: said });
  }
  return new AppError("internal", `git ${args[0]} failed in ${place} (exit code ${exitCode}): ${said || "it said nothing"}`, {
    args,
    exitCode,
  });
}

function configVariables(config: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(config);
  return {
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
  };
}
