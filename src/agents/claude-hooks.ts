import { hookProgram, type HookTarget } from "./hook-program.ts";

/**
 * What is worth a hook: all that the output does not tell, and each use of a tool once it is over. That a tool is called
 * the output tells earlier than a hook could.
 */
const EVENTS = [
  "SessionStart",
  "UserPromptSubmit",
  "PostToolUse",
  "PostToolUseFailure",
  "PermissionRequest",
  "PermissionDenied",
  "Notification",
  "SubagentStart",
  "SubagentStop",
  "TaskCreated",
  "TaskCompleted",
  "PreCompact",
  "PostCompact",
  "Stop",
  "StopFailure",
  "SessionEnd",
] as const;

/** Its hooks as its settings hold them (https://code.claude.com/docs/en/hooks): each appends its payload to the spool. */
export function claudeHooks(target: HookTarget): Record<string, unknown> {
  const [command, ...args] = hookProgram(target).argv;
  const hook = { type: "command", command, args, timeout: 5 };
  return Object.fromEntries(EVENTS.map((name) => [name, [{ hooks: [hook] }]]));
}
