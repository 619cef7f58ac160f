import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { TestDaemon, TestHome } from "./daemon.ts";
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

/** Stops the daemon. The workspaces of tasks that are done go at the next sweep, which a quick tick soon brings; with the daemon, every process. */
export async function expectNothingLeft(home: TestHome, daemon: TestDaemon): Promise<void> {
  expect(await daemon.stop()).toBe(0);
  home.env["DROVER_DAEMON_TICKMS"] = "100";
  const next = await home.start();
  await expectNoWorkspaces(home);
  expect(await next.stop()).toBe(0);
  await expectNoProcesses(home);
}

export async function expectNoWorkspaces({ home }: TestHome): Promise<void> {
  // Trees of the base stay, for the next task.
  const left = () => readdirSync(join(home, "workspaces", "api")).filter((name) => !name.startsWith("base-"));
  await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 60_000, interval: 100 });
}

export async function expectNoProcesses({ folder }: TestHome): Promise<void> {
  await vi.waitFor(() => expect(processesNaming(folder)).toEqual([]), { timeout: 30_000, interval: 100 });
}
