import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SKIPS_VARIABLE } from "./needs.ts";

/**
 * Gives the whole test run a home and a folder for temporary files of its own, so that no test sees or touches the person's.
 * At the end it fails the run for every process and every file that a test left behind, and removes them.
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "drover-test-"));
  const temporary = join(folder, "tmp");
  const home = join(folder, "home");
  // Programs of ours are TypeScript: each test that starts one would translate all of it again. A measured one is not kept, to be exact.
  const compiled = process.env["DROVER_COVERAGE"] === "1" ? {} : { NODE_COMPILE_CACHE: join(folder, "compiled") };
  mkdirSync(temporary);
  mkdirSync(home);
  Object.assign(process.env, {
    ...compiled,
    HOME: home,
    TMPDIR: temporary,
    [SKIPS_VARIABLE]: join(folder, "skips"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  });
  for (const name of Object.keys(process.env))
    if (/^(DROVER_(?!TEST_|NO_SKIP|COVERAGE)|XDG_|ANTHROPIC_|CLAUDE|GITHUB_TOKEN|GH_TOKEN)/.test(name)) delete process.env[name];

  return () => {
    const left = [
      ...processesOf(folder).map(({ pid, command }) => `process ${pid}: ${command}`),
      ...readdirSync(temporary).map((name) => `file ${join(temporary, name)}`),
    ];
    for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    if (left.length === 0) return;
    console.error(`Left behind by tests:\n  ${left.join("\n  ")}`);
    process.exitCode = 1;
  };
}

/** Processes whose arguments, working directory or environment name `folder`, but for the test runner's own workers (Linux only). */
function processesOf(folder: string): { pid: number; command: string }[] {
  const pids = process.platform === "linux" ? readdirSync("/proc").map(Number).filter(Boolean) : [];
  return pids.flatMap((pid) => {
    try {
      const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8");
      const parent = Number(read("stat").split(") ").pop()?.split(" ")[1]);
      const command = read("cmdline").replaceAll("\0", " ").trim();
      if (pid === process.pid || parent === process.pid || command === "") return [];
      const names = [command, read("environ"), readlinkSync(`/proc/${pid}/cwd`)].some((text) => text.includes(folder));
      return names ? [{ pid, command }] : [];
    } catch {
      return []; // It ended while we looked, or it is another user's: not one of ours either way.
    }
  });
}
