import type { SaidAgentLine } from "../contract/agent-line.ts";
import { carryOut } from "./carry-out.ts";
import type { Place } from "./place.ts";
import type { Inbox } from "./inbox.ts";
import { failedVerdict } from "./verdict.ts";

/**
 * Carries out the order of an inbox and says so in lines of docs/guides/command-agent.md. Returns the exit code and never rejects.
 * Whoever ended it needs no verdict.
 */
export async function carryOrder(inbox: Inbox, place: Place, print: (line: string) => void, signal: AbortSignal): Promise<number> {
  const say = (line: SaidAgentLine) => print(JSON.stringify(line));
  try {
    const around = { ...place, person: inbox, say, showLife: () => print("") };
    const report = await carryOut(await inbox.order(), around, signal);
    say({ type: "turn_ended", verdict: { ok: true }, report });
    return 0;
  } catch (thrown) {
    if (!signal.aborted) say({ type: "turn_ended", verdict: failedVerdict(thrown) });
    return 1;
  }
}
