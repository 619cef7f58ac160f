/**
 * An agent for the `command` driver that answers by what it is told: `node answers-prompts.ts FOLDER`. The file `answers.json` there
 * holds the answers; the first whose `when` is in the prompt, and which was not used up, is given. Each agent leaves its prompt and the
 * times of its beginning and end behind, as `n.json`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/** `times`: how often it is given. `until`: the file of the folder that it waits for. `fails`: it ends with an error. */
export interface Answer {
  readonly when: string;
  readonly report?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly times?: number;
  readonly until?: string;
  readonly fails?: boolean;
}

/** What an agent leaves behind. */
export interface Asked {
  readonly prompt: string;
  readonly model: string | null;
  readonly from: number;
  to: number | null;
}

const [folder = ""] = process.argv.slice(2);
const say = (line: object) => console.log(JSON.stringify(line));

createInterface({ input: process.stdin }).on("line", (text) => {
  const line = JSON.parse(text) as { type: string; prompt: string };
  if (line.type === "end") process.exit(0);
  if (line.type === "prompt") void answer(line.prompt);
});

async function answer(prompt: string): Promise<void> {
  say({ type: "session_started", sessionId: `session-${process.pid}` });
  const asked: Asked = { prompt, model: process.env["DROVER_MODEL"] ?? null, from: Date.now(), to: null };
  const file = join(folder, `${takeNumber("asked", Infinity)}.json`);
  writeFileSync(file, JSON.stringify(asked));
  const answers = JSON.parse(readFileSync(join(folder, "answers.json"), "utf8")) as Answer[];
  const found = answers.find(
    ({ when, times = Infinity }, index) => prompt.includes(when) && takeNumber(`used-${index}`, times) !== undefined,
  );
  if (found?.until !== undefined) await appearance(join(folder, found.until));
  for (const [path, content] of Object.entries(found?.files ?? {})) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  writeFileSync(file, JSON.stringify({ ...asked, to: Date.now() }));
  const verdict = found && !found.fails ? { ok: true } : { ok: false, reason: "agent_error", message: "It does not know how." };
  say({ type: "turn_ended", verdict, report: found?.report ?? "It is done." });
}

async function appearance(file: string): Promise<void> {
  for (;;) {
    if (existsSync(file)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The next number of a kind that no other agent has, from 1; undefined: there are no more than `max`. */
function takeNumber(kind: string, max: number): number | undefined {
  for (let number = 1; number <= max; number += 1) {
    try {
      mkdirSync(join(folder, `${kind}-${number}`));
      return number;
    } catch {
      // An earlier one has it.
    }
  }
  return undefined;
}
