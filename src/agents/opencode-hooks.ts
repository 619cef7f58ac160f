import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HookTarget } from "./hook-program.ts";

/** What makes OpenCode tell what it does: a plugin of ours, and where that appends. */
export function opencodeHooks(
  folder: string,
  { spool }: HookTarget,
): {
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
} {
  const plugin = readFileSync(new URL("opencode-plugin.js", import.meta.url), "utf8");
  return { files: { [join(folder, "plugin", "drover-hooks.js")]: plugin }, env: { DROVER_HOOK_SPOOL: spool } };
}

/**
 * What keeps OpenCode 1.18.33 from installing `@opencode-ai/plugin`, which no plugin of ours needs, at each start: a list that
 * says it is there. Where there is no network it would try for more than a minute, and plugins would wait for that.
 */
export function opencodePackages(folder: string): Readonly<Record<string, string>> {
  return {
    [join(folder, "package-lock.json")]: JSON.stringify({ packages: { "": { dependencies: { "@opencode-ai/plugin": "*" } } } }),
    [join(folder, "node_modules", "README")]: "Nothing needs to be installed here.\n",
  };
}
