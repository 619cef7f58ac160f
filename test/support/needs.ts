import { spawnSync } from "node:child_process";
import { accessSync, existsSync, appendFileSync, constants } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { CHROMIUM } from "./browser.ts";
import { whyNoDocker } from "./docker.ts";
import { whyNoNamespace } from "./network-namespace.ts";

/** Where skipped tests say why, one JSON line each; the closing summary reads it. */
export const SKIPS_VARIABLE = "DROVER_TEST_SKIPS";

/** What a test may need that a machine may lack. Each returns what is missing, or undefined. */
const probes = {
  strace: () => program("strace", ["-qq", "-o", "/dev/null", "true"]),
  tmpfs: () => program("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]),
  bwrap: () => program("bwrap", ["--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"]),
  python3: () => program("python3", ["--version"]),
  tmux: () => program("tmux", ["-V"]),
  chromium: () => file(CHROMIUM),
  docker: whyNoDocker,
  "full-device": () => (existsSync("/dev/full") ? undefined : "there is no /dev/full"),
  cgroups: whyNoGroups,
  claude: () => agent("claude"),
  codex: () => agent("codex"),
  gemini: () => agent("gemini"),
  opencode: () => agent("opencode"),
  "network-namespace": whyNoNamespace,
  "git-http-backend": () => file(join(spawnSync("git", ["--exec-path"], { encoding: "utf8" }).stdout.trim(), "git-http-backend")),
} satisfies Record<string, () => string | undefined>;

/**
 * The one way to leave tests out: `test.skipIf(!needs("claude").ok)`. What is missing goes to the closing summary with the
 * name of the test file, and fails the run in CI.
 */
export function needs(...wanted: (keyof typeof probes)[]): { readonly ok: boolean; readonly missing: string } {
  const lacking = wanted.map((name) => probes[name]()).filter((reason) => reason !== undefined);
  const missing = lacking.join("; ");
  const record = process.env[SKIPS_VARIABLE];
  if (lacking.length > 0 && record !== undefined) {
    appendFileSync(record, `${JSON.stringify({ file: expect.getState().testPath, reason: missing })}\n`);
  }
  return { ok: lacking.length === 0, missing };
}

/** Whether a group of processes can be limited (cgroups(7)). */
function whyNoGroups(): string | undefined {
  const there = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].find((folder) => existsSync(join(folder, "cgroup.procs")));
  if (there === undefined) return "there are no control groups";
  try {
    accessSync(there, constants.W_OK);
    return undefined;
  } catch {
    return `no control groups can be made in ${there}`;
  }
}

function program(name: string, args: readonly string[]): string | undefined {
  const { status, error } = spawnSync(name, args, { stdio: "ignore", timeout: 20_000 });
  if (error) return `${name} is not installed`;
  return status === 0 ? undefined : `\`${[name, ...args].join(" ")}\` does not work here`;
}

function agent(name: string): string | undefined {
  return file(join(import.meta.dirname, "../../node_modules/.bin", name));
}

function file(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return `there is no program ${path}`;
  }
}
