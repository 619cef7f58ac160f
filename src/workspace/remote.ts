import { AppError } from "../base/errors.ts";
import { createRedactor } from "../base/redact.ts";
import { safeText } from "../base/text.ts";
import type { Project } from "../contract/project.ts";
import type { CommandResult } from "../process/command.ts";
import type { Git } from "./git.ts";
import type { GitCredentials } from "./workspaces.ts";

export interface RemoteCall {
  /** The repository of ours that is fetched into or pushed from. */
  readonly repository: string;
  readonly credentials: GitCredentials;
  readonly config?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A first fetch of a large repository over a slow line takes long; a line that is dead is given up sooner (`http.lowSpeedTime`, ssh). */
const REMOTE_TIMEOUT_MS = 60 * 60_000;

/** Runs a git command that talks to the project's remote. The token is in the environment of that one process only. */
export function runRemote(git: Git, args: readonly string[], call: RemoteCall, remote: string): Promise<CommandResult> {
  return git.run(args, {
    repository: call.repository,
    config: { ...call.config, ...credentialConfig(remote, call.credentials) },
    timeoutMs: REMOTE_TIMEOUT_MS,
    signal: call.signal,
  });
}

/**
 * What went wrong with a remote, and the remedy. `invalid`: a person has to change something (address, permission,
 * credentials). `unavailable`: it did not answer; try again later. Git 2.39's words, and those of GitHub.
 */
export function remoteFailure(doing: string, project: Project, { token }: GitCredentials, stderr: string): AppError {
  const said = createRedactor(() => (token === null ? [] : [token, basicPassword(token)]))(safeText(stderr)).trim();
  const [code, what, remedy] = explain(said, token !== null);
  return new AppError(code, `Cannot ${doing} of ${project.name} (${project.remote}): ${what}. ${remedy}`, {
    remote: project.remote,
    stderr: said,
  });
}

type Explanation = readonly [code: AppError["code"], what: string, remedy: string];

function explain(said: string, hasToken: boolean): Explanation {
  if (
    /Authentication failed|could not read (?:Username|Password)|Permission denied \(|returned error: 40[13]|Permission to \S+ denied|Host key verification failed/.test(
      said,
    )
  ) {
    const who = hasToken
      ? "Check that the project's token is valid and may write to this repository."
      : "Give the project a token, or the ssh key that this repository wants.";
    return ["invalid", "the remote refuses the credentials", who];
  }
  if (/dubious ownership/.test(said))
    return ["invalid", "the repository belongs to another user", "Run Drover as that user, or change its owner."];
  if (
    /Repository not found|not found|does not appear to be a git repository|does not exist|No such file or directory|not a git repository|returned error: 404/i.test(
      said,
    )
  ) {
    return ["invalid", "there is no such repository, or it is hidden from us", "Check the address and the permissions."];
  }
  if (/transport '[^']*' not allowed|strange (?:path|host)name/.test(said))
    return ["invalid", "its kind of address is not allowed", "Use https, ssh or a path."];
  if (/mismatched algorithms|object format|hash algorithm/i.test(said))
    return ["invalid", "it keeps its objects as SHA-256", "Only repositories with SHA-1 objects are supported."];
  if (/No space left on device|Disk quota exceeded/.test(said)) return ["unavailable", "the disk is full", "Make room."];
  return [
    "unavailable",
    `the remote did not answer as it should (${mainLine(said)})`,
    "It is tried again; if it stays so, check the network and the address.",
  ];
}

/**
 * Basic authentication for the remote's own host. Over plain http a token would be readable on the way, so it goes to this
 * machine only.
 */
function credentialConfig(remote: string, { token }: GitCredentials): Record<string, string> {
  if (token === null || !URL.canParse(remote)) return {};
  const { protocol, origin, hostname } = new URL(remote);
  const isLocal = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  if (protocol !== "https:" && !(protocol === "http:" && isLocal)) return {};
  return { [`http.${origin}/.extraHeader`]: `Authorization: Basic ${basicPassword(token)}` };
}

function basicPassword(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString("base64");
}

function mainLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lines.find((line) => /^(?:ssh|fatal|error|remote): /.test(line)) ?? lines.at(-1) ?? "it said nothing").trim();
}
