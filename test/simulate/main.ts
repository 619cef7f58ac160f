import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";
import { Violation } from "./world.ts";

// node test/simulate/main.ts --from 1 --seeds 50 --projects 12 --tasks 1000: prints a line of JSON a seed, and ends with 1 at
// the first violation. A seed replays alone with --from SEED --seeds 1. With --minutes 10 no further seed begins after that time.

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "10" },
    projects: { type: "string", default: "12" },
    tasks: { type: "string", default: "1000" },
    agents: { type: "string", default: "64" },
    minutes: { type: "string", default: "Infinity" },
  },
});
const [from, seeds, minutes] = [Number(values.from), Number(values.seeds), Number(values.minutes)];

try {
  for (let seed = from; seed < from + seeds && performance.now() < minutes * 60_000; seed += 1) {
    const result = await simulate(seed, {
      projects: Number(values.projects),
      tasks: Number(values.tasks),
      agentMax: Number(values.agents),
    });
    process.stdout.write(`${JSON.stringify({ seed, ...result })}\n`);
  }
} catch (thrown) {
  if (!(thrown instanceof Violation)) throw thrown;
  process.stdout.write(`${JSON.stringify({ violation: thrown.message })}\n`);
  process.exitCode = 1;
}
