import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface RepositoryOptions {
  /** Path to content of the first commit; {}: an empty repository. */
  readonly files?: Readonly<Record<string, string>>;
  readonly branch?: string;
  readonly bare?: boolean;
  /** Leaves an uncommitted change and an untracked file behind. */
  readonly dirty?: boolean;
  /** Adds a bare repository beside it as `origin`, with the branch pushed to it. */
  readonly remote?: boolean;
}

export interface TestRepository {
  readonly path: string;
  /** The path of `origin`; of the repository itself without one. */
  readonly remote: string;
  readonly branch: string;
  readonly git: (...args: readonly string[]) => string;
  /** Writes files and commits them; returns the commit. */
  readonly commit: (files: Readonly<Record<string, string>>, message?: string) => string;
}

const PERSON = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgSign=false"];

/** A folder for a test, removed at its end: `using folder = temporaryFolder()`. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "drover-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What git prints, run in a folder as a person would. Throws when it fails. */
export function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync("git", [...PERSON, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Makes a real repository at `path`, by default on `main` with a README and one commit. */
export function makeRepository(path: string, options: RepositoryOptions = {}): TestRepository {
  const { files = { "README.md": "# Sample\n" }, branch = "main", bare = false, dirty = false, remote = false } = options;
  const work = bare ? `${path}.work` : path;
  const origin = `${path}.origin.git`;
  mkdirSync(work, { recursive: true });
  git(work, "init", "--quiet", `--initial-branch=${branch}`);
  const repository = { path, remote: remote ? origin : path, branch, git: (...args: readonly string[]) => git(path, ...args), commit };

  function commit(changes: Readonly<Record<string, string>>, message = "Change"): string {
    writeFiles(work, changes);
    git(work, "add", "--all");
    git(work, "commit", "--quiet", "--allow-empty", `--message=${message}`);
    if (bare || remote) git(work, "push", "--quiet", bare ? path : origin, `HEAD:refs/heads/${branch}`);
    return git(work, "rev-parse", "HEAD");
  }

  for (const place of [...(bare ? [path] : []), ...(remote ? [origin] : [])])
    git(work, "init", "--quiet", "--bare", `--initial-branch=${branch}`, place);
  if (remote) git(path, "remote", "add", "origin", origin);
  if (Object.keys(files).length > 0) commit(files, "First");
  if (dirty) writeFiles(path, { [Object.keys(files)[0] ?? "README.md"]: "changed\n", "untracked.txt": "new\n" });
  return repository;
}
