/**
 * An agent for the `command` driver that does as a test says: `node follows-orders.ts FOLDER`. The file `list.json` there holds
 * a list of orders, each a list of steps: the n-th agent to start carries out the n-th, and all further ones the last. Each
 * leaves its prompt behind, as `n/prompt`, and how it was called, as `n/call.json`.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** `limitMs`: it is at its usage limit for so long; null: it can't tell. `fail`: it ends for that reason. `wait`: it goes on for ever. */
export type Step = "wait" | "done" | { readonly say: object } | { readonly limitMs: number | null } | { readonly fail: string };

const [folder = "", ...args] = process.argv.slice(2);
const sessionId = process.env["DROVER_SESSION_ID"] ?? `session-${process.pid}`;
const say = (line: object) => console.log(JSON.stringify(line));
const end = (verdict: object) => say({ type: "turn_ended", verdict, report: "as ordered" });

createInterface({ input: process.stdin }).on("line", (text) => {
  const line = JSON.parse(text) as { type: string; prompt: string };
  if (line.type === "end") process.exit(0);
  if (line.type !== "prompt") return;
  const orders = JSON.parse(readFileSync(join(folder, "list.json"), "utf8")) as Step[][];
  const number = takeNumber(1);
  writeFileSync(join(folder, String(number), "prompt"), line.prompt);
  writeFileSync(join(folder, String(number), "call.json"), JSON.stringify({ args, env: process.env }));
  appendFileSync("sessions.txt", `${sessionId}\n`);
  say({ type: "session_started", sessionId });
  for (const step of orders[Math.min(number, orders.length) - 1] ?? []) carryOut(step);
});

function takeNumber(number: number): number {
  try {
    mkdirSync(join(folder, String(number)));
    return number;
  } catch {
    return takeNumber(number + 1); // an earlier one has it
  }
}

function carryOut(step: Step): void {
  if (step === "wait") return;
  if (step === "done") end({ ok: true });
  else if ("say" in step) say(step.say);
  else if ("fail" in step) end({ ok: false, reason: step.fail, message: `It failed by ${step.fail}.` });
  else {
    const retryAt = step.limitMs === null ? null : Date.now() + step.limitMs;
    end({ ok: false, reason: "usage_limit", message: "The limit is reached.", retryAt });
  }
}
