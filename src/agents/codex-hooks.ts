import { hookCommand, type HookTarget } from "./hook-program.ts";

/** What is worth a hook; Codex has none for what fails. */
const EVENTS = [
  "SessionStart",
  "UserPromptSubmit",
  "PostToolUse",
  "SubagentStart",
  "SubagentStop",
  "PreCompact",
  "PostCompact",
  "Stop",
  "Interrupt",
  "SessionEnd",
] as const;

/** For some events Codex grants no more, and says so in its output. */
const TIMEOUT_S = 3;

/** Codex runs none that nobody has looked at. These are ours, and an untrusted folder adds none. */
export const TRUST_ARGUMENT = "--dangerously-bypass-hook-trust";

/** Its hooks as its config.toml holds them (https://developers.openai.com/codex/hooks): each appends its payload to the spool. */
export function codexHooks(target: HookTarget): string[] {
  const hook = `{ type = "command", command = ${JSON.stringify(hookCommand(target))}, timeout = ${TIMEOUT_S} }`;
  return ["[hooks]", ...EVENTS.map((name) => `${name} = [{ hooks = [${hook}] }]`)];
}
