import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ModelScript } from "../src/demo/model-script.ts";
import { createBench, realClaude, type AgentBench } from "../test/support/agent-bench.ts";
import { whyNoNamespace } from "../test/support/network-namespace.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { difference, rounds } from "./statistics.ts";

const PROMPT = "TASK: add a sum function, please.";
const script: ModelScript = {
  scenarios: [
    {
      when: "TASK:",
      steps: [
        { text: "I write the file.", calls: [{ kind: "write", path: "sum.mjs", content: "export const sum = (a, b) => a + b;\n" }] },
        { text: "Done: sum adds." },
      ],
    },
  ],
};

/** What it costs to have an agent run by us: the same Claude Code on the same task with the same scripted model, by hand and under our process host and driver. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const why = whyNoNamespace();
  if (why !== undefined) {
    process.stderr.write(`Left out, for a real agent runs in a network namespace or not at all: ${why}\n`);
    return [];
  }
  await using bench = await createBench(realClaude, script);
  // Its first start finds its feet: caches, configuration.
  await byHand(bench);
  const measured = await rounds(count * (quick ? 1 : 3), async () => {
    await untilQuiet({ withinMs: 5000 });
    const bare = await byHand(bench);
    return { ours: await byUs(bench), bare };
  });
  const limit = { name: "the same by hand", value: measured.bare };
  return [
    { name: "a run of Claude Code under host and driver", unit: "ms", ours: measured.ours, limit, goal: null },
    { name: "of it ours", unit: "ms", ours: difference(measured.ours, measured.bare), limit: null, goal: null },
  ];
};

async function byUs(bench: AgentBench): Promise<number> {
  const startedAt = performance.now();
  const run = await bench.start({ prompt: PROMPT });
  const { verdict } = await run.conclude();
  const took = performance.now() - startedAt;
  if (!verdict.ok) throw new Error(`The agent did not succeed: ${verdict.message}`);
  return took;
}

/** As a script of a person's would: the same arguments, files and words, and stdin ended behind them. */
async function byHand(bench: AgentBench): Promise<number> {
  const request = { ...bench.request({ prompt: PROMPT }), configDirectory: join(bench.folder, "by-hand") };
  const { argv, env, files, stdin } = bench.driver.launch(request);
  const startedAt = performance.now();
  await mkdir(request.configDirectory, { recursive: true, mode: 0o700 });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  const [program, ...args] = argv;
  const child = spawn(program, args, { cwd: bench.workspace, env, stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(stdin);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`Claude Code ended with exit code ${code} when it was run by hand.`);
  return performance.now() - startedAt;
}
