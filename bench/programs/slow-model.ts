/** `slow-model.ts DELAY_MS TURNS`: a scripted model that takes so long for each answer, in a process of its own. Says its address. */
import { systemClock } from "../../src/base/clock.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { startModelServer } from "../../src/demo/model-server.ts";

const [delayMs = 0, turns = 0] = process.argv.slice(2).map(Number);
/** Never what the turns before did: that would count as stuck. */
const look = (turn: number): ModelStep => ({ calls: [{ kind: "tool", tool: "list", input: { depth: 1 + (turn % 10) } }], delayMs });
const write: ModelStep = { calls: [{ kind: "write", path: "loop.txt", content: "done\n" }], delayMs };
const steps = [...Array.from({ length: turns - 2 }, (_, turn) => look(turn)), write, { text: "Done.", delayMs }];
const server = await startModelServer({ script: { scenarios: [{ when: "LOOP", steps }] }, listen: { port: 0 }, clock: systemClock });
console.log(JSON.stringify({ address: server.address }));
