import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OutputReader } from "../../src/agents/driver.ts";

/** What a real agent printed in a situation (scripts/record-agent.ts), read. */
export function replay(agent: string, reader: OutputReader, situation: string) {
  const lines = readFileSync(join(import.meta.dirname, `../agents/recorded/${agent}/${situation}.jsonl`), "utf8")
    .trimEnd()
    .split("\n");
  const end = JSON.parse(lines.pop() ?? "") as { exitCode: number | null; stderr: string };
  const events = lines.flatMap((line) => reader.read(line));
  return { events, end, ...reader.conclude(end) };
}
