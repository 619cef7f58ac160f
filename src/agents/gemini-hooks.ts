import { join } from "node:path";
import { hookCommand, type HookTarget } from "./hook-program.ts";

/** What is worth a hook. It has one for each request to a model too, and `PreCompress` comes before each, compressed or not. */
const EVENTS = ["SessionStart", "BeforeAgent", "AfterTool", "Notification", "AfterAgent", "SessionEnd"] as const;
const TIMEOUT_MS = 5000;

/**
 * The files of an extension of ours, with nothing in it but hooks that append their payloads to the spool
 * (https://geminicli.com/docs/hooks): in an untrusted folder Gemini CLI runs the hooks of no settings, the person's own neither,
 * but those of installed extensions.
 * @param folder its `.gemini`.
 */
export function geminiHooks(folder: string, target: HookTarget): Readonly<Record<string, string>> {
  const extension = join(folder, "extensions", "drover-hooks");
  const hook = { type: "command", command: hookCommand(target), timeout: TIMEOUT_MS };
  const hooks = Object.fromEntries(EVENTS.map((name) => [name, [{ hooks: [hook] }]]));
  return {
    [join(extension, "gemini-extension.json")]: JSON.stringify({ name: "drover-hooks", version: "1.0.0" }),
    [join(extension, "hooks", "hooks.json")]: JSON.stringify({ hooks }),
  };
}
