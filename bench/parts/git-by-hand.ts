import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], { cwd });
  return stdout;
}

/** Brings a repository up to date and makes a fresh clone of it, as a person would; milliseconds for each time. */
export async function cloneByHand(repository: string, folder: string, times: number): Promise<number[]> {
  const place = await mkdtemp(join(folder, "by-hand-"));
  const bare = join(place, "bare.git");
  await git(place, "clone", "--quiet", "--bare", "--no-hardlinks", repository, bare);
  const samples: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const startedAt = performance.now();
    await git(bare, "fetch", "--quiet", repository, "main");
    await git(place, "clone", "--quiet", "--no-hardlinks", bare, `clone-${time}`);
    samples.push(performance.now() - startedAt);
  }
  await rm(place, { recursive: true, force: true });
  return samples;
}
