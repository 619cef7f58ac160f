import { AppError } from "../../base/errors.ts";
import type { ForgeProject } from "../forge.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const PUBLIC_API = "api.github.com";

/**
 * The checked base URL of a project's API, without a trailing slash. The token goes there, and a project's own file may
 * name the address, so it must be https (http only on loopback) and belong to the host of the project's remote.
 * Throws `invalid` otherwise.
 */
export function apiAddress({ project, config }: ForgeProject): string {
  const url = new URL(config.github.apiUrl);
  const isLoopback = LOOPBACK.has(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback)) {
    throw new AppError("invalid", `github.apiUrl of ${project.name} is ${url.href}: use https (http only on this machine).`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new AppError("invalid", `github.apiUrl of ${project.name} must hold no credentials, query or fragment.`);
  }
  const remote = remoteHost(project.remote);
  const belongs = remote === null ? isLoopback : url.hostname === remote || url.hostname === `api.${remote}`;
  // An ssh alias (`git@github-work:a/b`) hides the host; GitHub itself may always see a GitHub token.
  if (!belongs && url.host !== PUBLIC_API) {
    throw new AppError(
      "invalid",
      `github.apiUrl of ${project.name} points to ${url.host}, which is not the host of its remote (${remote ?? "a folder of this machine"}). Its token is not sent there; correct the setting or the remote.`,
    );
  }
  return url.href.replace(/\/+$/, "");
}

/** GraphQL lives beside REST: `https://api.github.com/graphql`, and on Enterprise `/api/graphql` beside `/api/v3`. */
export function graphqlAddress(apiUrl: string): string {
  return `${apiUrl.replace(/\/api\/v3$/, "/api")}/graphql`;
}

/** `github.com` of `https://github.com/a/b.git`, `ssh://git@github.com/a/b` and `git@github.com:a/b`; null for a path. */
function remoteHost(remote: string): string | null {
  const scpLike = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)/.exec(remote);
  if (scpLike?.[1] !== undefined) return scpLike[1].toLowerCase();
  const url = URL.parse(remote);
  return url === null || url.hostname === "" ? null : url.hostname;
}
