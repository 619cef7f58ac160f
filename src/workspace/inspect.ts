import { mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import { createGit, type Git } from "./git.ts";
import { copyIndex } from "./snapshot.ts";
import { look } from "./folders.ts";

/** What there is to know of a repository that a person wants to register. */
export interface InspectedRepository {
  /** Its real path, without links. */
  readonly path: string;
  /** Where `origin` (or else its first remote) is, without credentials; a path is absolute. Null: it has none. */
  readonly remote: string | null;
  /** The remote's default branch as far as the repository knows it; without a remote the branch it is on. */
  readonly baseBranch: string;
  readonly bare: boolean;
  /** It has no commit. */
  readonly empty: boolean;
  /** Tracked files differ from the last commit, or there are new ones: that is not part of what tasks work on. */
  readonly dirty: boolean;
  /** `owner/name` when the remote is at GitHub or a GitHub Enterprise host; null: it is not, or can't be told from its address. */
  readonly githubRepository: string | null;
}

export interface InspectOptions {
  /** Drover's own home: not to be registered. */
  readonly home: string;
  /** HOME and PATH: git applies the person's `insteadOf` rules to the remote's address. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

const WORLD_WRITABLE = 0o002;

/**
 * Looks at a repository without changing it and without running anything that its configuration names. Throws `not_found`
 * when nothing is at the path, and `invalid` when it is no repository that can be registered; the message says why.
 */
export async function inspectRepository(path: string, { home, env, clock }: InspectOptions): Promise<InspectedRepository> {
  const git = createGit({ env, clock, identity: { name: "Drover", email: "drover@localhost" } });
  const place = await checkedPath(path, home, env["HOME"]);
  const { gitDirectory, bare } = await openRepository(git, place);
  const read = (...args: readonly string[]) => git.run(args, { repository: gitDirectory });
  const remote = await findRemote(git, place, gitDirectory);
  const empty = (await read("rev-list", "--all", "--max-count=1")).stdout === "";
  return {
    path: place,
    remote: remote?.address ?? null,
    baseBranch: await findBaseBranch(read, place, remote?.name),
    bare,
    empty,
    dirty: !bare && (await isDirty(git, place, gitDirectory)),
    githubRepository: remote === null ? null : githubRepository(remote.address),
  };
}

/** `owner/name` of an address at GitHub: https, ssh and `git@host:`, the host being github.com, a GitHub Enterprise one, or an ssh alias that names it. */
export function githubRepository(address: string): string | null {
  const scp = /^(?:[^@/\s]+@)?([^:/\s]+):(?!\/\/)\/?(.+)$/.exec(address);
  const url = scp === null ? URL.parse(address) : null;
  const host = (scp?.[1] ?? url?.hostname ?? "").toLowerCase();
  const name = (scp?.[2] ?? url?.pathname ?? "").replace(/^\/+/, "").replace(/(?:\.git)?\/*$/, "");
  const isGithub = /(?:^|[.-])github(?:[.-]|$)/.test(host) || host.endsWith(".ghe.com");
  return isGithub && /^[\w.-]+\/[\w.-]+$/.test(name) ? name : null;
}

type Read = (...args: readonly string[]) => Promise<{ exitCode: number; stdout: string }>;

async function checkedPath(path: string, home: string, userHome: string | undefined): Promise<string> {
  const place = await realpath(resolve(path)).catch(() => {
    throw new AppError("not_found", `There is nothing at ${safeLine(path)}.`);
  });
  const found = await stat(place);
  const refuse = (why: string) => new AppError("invalid", `${place} can't be registered: ${why}.`);
  if (!found.isDirectory()) throw refuse("it is no folder");
  if (place === "/") throw refuse("it is the whole file system");
  if (userHome !== undefined && place === (await realOr(userHome))) throw refuse("it is your home folder");
  const own = await realOr(home);
  if (contains(own, place) || contains(place, own)) throw refuse("it is Drover's own folder, or around it");
  if ((found.mode & WORLD_WRITABLE) !== 0) throw refuse("every user of this machine may write to it. Change its permissions (chmod o-w)");
  return place;
}

async function openRepository(git: Git, place: string): Promise<{ gitDirectory: string; bare: boolean }> {
  const opened = await git.run(["rev-parse", "--is-bare-repository", "--absolute-git-dir", "--show-prefix"], { cwd: place });
  if (opened.exitCode !== 0) {
    const isForeign = opened.stderr.includes("dubious ownership");
    const why = isForeign
      ? "it belongs to another user; run Drover as that user, or change its owner"
      : "it is no git repository. Run `git init` there, or name the repository's top folder";
    throw new AppError("invalid", `${place} can't be registered: ${why}.`);
  }
  const [bare, gitDirectory = "", prefix = ""] = opened.stdout.split("\n");
  if (bare === "true" && gitDirectory !== place)
    throw new AppError("invalid", `${place} is inside of a repository's own folder. Register ${gitDirectory}.`);
  if (bare === "false" && contains(gitDirectory, place))
    throw new AppError("invalid", `${place} is a repository's own folder. Register the folder it is in.`);
  if (prefix !== "")
    throw new AppError("invalid", `${place} is a folder of a repository. Register its top: ${place.slice(0, -prefix.length)}.`);
  return { gitDirectory, bare: bare === "true" };
}

async function findRemote(git: Git, place: string, gitDirectory: string): Promise<{ name: string; address: string } | null> {
  const names = (await git.print(["remote"], { repository: gitDirectory })).split("\n").filter((name) => name !== "");
  const name = names.includes("origin") ? "origin" : names[0];
  if (name === undefined) return null;
  const found = await git.run(["remote", "get-url", "--", name], { repository: gitDirectory, personal: true });
  const address = found.stdout.trim();
  return found.exitCode !== 0 || address === "" ? null : { name, address: plainAddress(address, place) };
}

/** Without credentials; a relative path is one from the repository. */
function plainAddress(address: string, place: string): string {
  const url = URL.parse(address);
  if (url !== null && /^https?:$/.test(url.protocol) && (url.username !== "" || url.password !== "")) {
    url.username = "";
    url.password = "";
    return url.href;
  }
  const isPath = address.startsWith(".") || (!address.startsWith("/") && !address.includes(":"));
  return isPath ? resolve(place, address) : address;
}

async function findBaseBranch(read: Read, place: string, remote: string | undefined): Promise<string> {
  if (remote !== undefined) {
    const head = await read("symbolic-ref", "--quiet", `refs/remotes/${remote}/HEAD`);
    if (head.exitCode === 0) return head.stdout.trim().slice(`refs/remotes/${remote}/`.length);
    for (const name of ["main", "master"]) {
      if ((await read("rev-parse", "--verify", "--quiet", `refs/remotes/${remote}/${name}`)).exitCode === 0) return name;
    }
  }
  const head = await read("symbolic-ref", "--quiet", "HEAD");
  if (head.exitCode === 0) return head.stdout.trim().replace(/^refs\/heads\//, "");
  const heads = (await read("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")).stdout.split("\n").filter((name) => name !== "");
  const branch = ["main", "master"].find((name) => heads.includes(name)) ?? (heads.length === 1 ? heads[0] : undefined);
  if (branch !== undefined) return branch;
  throw new AppError(
    "invalid",
    `${place} is on no branch, so its base can't be told. Check out the branch that work starts from, or set defaults.baseBranch.`,
  );
}

/** Compares with a copy of the index in a repository of ours, where no filter and no monitor of the person's is configured. */
async function isDirty(git: Git, place: string, gitDirectory: string): Promise<boolean> {
  // Both are in the person's repository: this one touches no file, and so runs no filter.
  if ((await git.run(["diff-index", "--cached", "--quiet", "HEAD", "--"], { repository: gitDirectory })).exitCode === 1) return true;
  const folder = await mkdtemp(join(tmpdir(), "drover-inspect-"));
  try {
    const view = join(folder, "view");
    await git.print(["init", "--quiet", "--bare", "--template=", "--", view], {});
    const call = { repository: view, workTree: place, index: join(folder, "index") };
    if (await look(join(gitDirectory, "index"))) await copyIndex(join(gitDirectory, "index"), call.index);
    await git.run(["update-index", "-q", "--refresh"], call);
    const changed = await git.print(["diff-files", "--name-only", "--ignore-submodules=all"], call);
    return (
      changed !== "" ||
      (await git.print(["ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory"], call)) !== ""
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`);
}

async function realOr(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path)); // not there yet: no link to follow
}
