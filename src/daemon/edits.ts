import { join } from "node:path";
import type { HomePaths } from "../base/paths.ts";
import { setConfig } from "../config/edit.ts";
import type { Edits } from "../engine/control/scope.ts";
import { readWorkflowText, writeWorkflowText } from "../workflow/edit.ts";
import type { Environment } from "./settings.ts";

/** What can be written into the home's files through the API; those who watch the files do the rest. */
export function createEdits({ home, config }: Pick<HomePaths, "home" | "config">, env: Environment): Edits {
  const folder = join(home, "workflows");
  return {
    setSetting: (key, value) => setConfig(config, key, value, { scope: "global", env }),
    readWorkflow: (name) => readWorkflowText(folder, name),
    writeWorkflow: (name, text) => writeWorkflowText(folder, name, text),
  };
}
