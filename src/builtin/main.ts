/**
 * Drover's own agent. Reads its order (`AgentOrder`, a JSON line) and people's answers on stdin, works in the current directory,
 * and says what it does on stdout in the lines of docs/guides/command-agent.md. SIGTERM ends it with the tools that it runs.
 */
import type { SaidAgentLine } from "../contract/agent-line.ts";
import { carryOut } from "./carry-out.ts";
import { Inbox } from "./inbox.ts";
import { failedVerdict } from "./verdict.ts";

// What its warnings are about (a setting that a model does not know) is nothing for a person to read after each call.
globalThis.AI_SDK_LOG_WARNINGS = false;

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
process.exit(await run(new Inbox(process.stdin), stop.signal));

/** Returns the exit code. Whoever ended it needs no verdict. */
async function run(inbox: Inbox, signal: AbortSignal): Promise<number> {
  try {
    const around = { workspace: process.cwd(), env: process.env, person: inbox, say, showLife: () => void process.stdout.write("\n") };
    const report = await carryOut(await inbox.order(), around, signal);
    say({ type: "turn_ended", verdict: { ok: true }, report });
    return 0;
  } catch (thrown) {
    if (!signal.aborted) say({ type: "turn_ended", verdict: failedVerdict(thrown) });
    return 1;
  }
}

function say(line: SaidAgentLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
