import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { createDocker } from "../src/isolation/docker.ts";
import type { Isolation } from "../src/isolation/isolation.ts";
import { processIsolation } from "../src/isolation/process.ts";
import { createSandbox } from "../src/isolation/sandbox.ts";
import { Tmux } from "../src/isolation/tmux.ts";
import type { HeldCommand } from "../src/process/host.ts";
import { noLimits } from "../src/process/limits.ts";
import { scopeId } from "../src/process/scope.ts";
import { openHost } from "../test/support/agent-run.ts";
import { IMAGE, startDocker, whyNoDocker, type DockerFixture } from "../test/support/docker.ts";
import { sampleConfig, sampleProject } from "../test/support/samples.ts";
import { tarOf } from "../src/isolation/tar.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { difference, rounds, type Values } from "./statistics.ts";

const PATH = process.env["PATH"] ?? "";
const { signal } = new AbortController();

/** What each isolation adds to a run: the same command that does nothing, by hand and held, from the request to its known end and everything let go. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "isolations-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  for (const name of ["workspace", "config"]) await mkdir(join(folder, name));
  const why = whyNoDocker();
  if (why !== undefined) process.stderr.write(`Docker is left out: ${why}\n`);
  const engine = why === undefined ? stack.use(await startDocker()) : undefined;
  const host = openHost(folder);
  stack.defer(() => host.close());
  const isolations = await usable(folder, engine);
  const project = sampleProject();
  let runs = 0;
  const byUs = async (isolation: Isolation): Promise<number> => {
    const marker = `run_${(runs += 1)}`;
    const directory = join(folder, marker);
    const workspace = join(folder, "workspace");
    const command: HeldCommand = {
      directory,
      argv: ["/bin/sh", "-c", "exit 0"],
      cwd: workspace,
      env: { PATH },
      files: {},
      stdin: "",
      marker,
      limits: noLimits,
    };
    const source = { commit: "a".repeat(40), archive: (file: string) => writeFile(file, tarOf("Dockerfile", `FROM ${IMAGE}\n`)) };
    const reach = { hosts: [], files: [], programs: [] };
    const request = {
      command,
      title: marker,
      workspace,
      configDirectory: join(folder, "config"),
      project,
      config: sampleConfig(),
      reach,
      terminal: false,
      source,
    };
    const startedAt = performance.now();
    await host.start(await isolation.wrap(request, signal));
    const end = await host.waitForEnd(directory, signal);
    const took = performance.now() - startedAt;
    if (end.state !== "exited" || end.exitCode !== 0) throw new Error(`In ${isolation.name}: ${JSON.stringify(end)}`);
    await host.stop(directory, { marker, graceMs: 0 });
    await isolation.release(marker);
    return took;
  };
  const figures: Figure[] = [];
  for (const isolation of isolations) {
    // Its first one finds its feet: images, caches of programs.
    await byUs(isolation);
    const measured = await rounds(count * (quick ? 3 : 7), async () => {
      await untilQuiet({ withinMs: 3000 });
      return { bare: await byHand(isolation, engine), ours: await byUs(isolation) };
    });
    figures.push(figureOf(isolation, measured));
  }
  return figures;
};

function figureOf({ name }: Isolation, { bare, ours }: { bare: Values; ours: Values }): Figure {
  const limit = { name: name === "docker" ? "`docker run` of the same" : "sh by hand", value: bare };
  return { name: `a command in isolation ${name}, of it ours`, unit: "ms", ours: difference(ours, bare), limit, goal: { first: 200 } };
}

async function usable(folder: string, engine: DockerFixture | undefined): Promise<Isolation[]> {
  const scope = scopeId(folder);
  const all = [
    processIsolation,
    new Tmux({ clock: systemClock, scope, path: PATH }),
    createSandbox({ clock: systemClock, home: folder, path: PATH }),
    ...(engine ? [createDocker({ clock: systemClock, scope, home: folder, socket: engine.socket })] : []),
  ];
  const found = await Promise.all(all.map(async (one) => ({ one, availability: await one.detect(signal) })));
  for (const { one, availability } of found)
    if (!availability.available) process.stderr.write(`${one.name} is left out: ${availability.message}\n`);
  return found.flatMap(({ one, availability }) => (availability.available ? [one] : []));
}

/** As a person would on a command line; of a container, with Docker's own command. */
async function byHand({ name }: Isolation, engine: DockerFixture | undefined): Promise<number> {
  const words = ["/bin/sh", "-c", "exit 0"] as const;
  const startedAt = performance.now();
  if (name === "docker") engine?.docker("run", "--rm", "--init", "--cap-drop=ALL", IMAGE, ...words);
  else await once(spawn(words[0], words.slice(1), { stdio: "ignore" }), "exit");
  return performance.now() - startedAt;
}
