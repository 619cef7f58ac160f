import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { git } from "./repository.ts";

/** Commands of the processes whose arguments or environment name `text`, but for this one and the test runner's (Linux only). */
export function processesNaming(text: string): string[] {
  const pids = process.platform === "linux" ? readdirSync("/proc").map(Number).filter(Boolean) : [];
  return pids.flatMap((pid) => {
    try {
      const [command, env] = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " "));
      return pid !== process.pid && `${command} ${env}`.includes(text) ? [`${pid} ${command?.trim()}`] : [];
    } catch {
      return []; // it ended while we looked
    }
  });
}

/** Every ref of a repository, sorted. */
export function refsOf(repository: string): string[] {
  return git(repository, "for-each-ref", "--format=%(refname)").split("\n").filter(Boolean);
}

/** All that a person could see of their checkout: files with their content, HEAD, branches, the index, settings, and git's own word. */
export function stateOfCheckout(path: string) {
  return {
    status: git(path, "status", "--porcelain=v2", "--branch", "--untracked-files=all"),
    head: git(path, "symbolic-ref", "HEAD"),
    refs: git(path, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/remotes", "refs/tags", "refs/stash"),
    reflog: git(path, "reflog", "--all"),
    staged: git(path, "ls-files", "--stage"),
    config: readFileSync(join(path, ".git/config"), "utf8"),
    files: readFiles(path),
  };
}

function readFiles(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const own = files.filter((file) => !file.startsWith(join(folder, ".git/")));
  return Object.fromEntries(own.toSorted().map((file) => [file, readFileSync(file, "utf8")]));
}
