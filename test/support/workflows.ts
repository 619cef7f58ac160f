import { silentLog } from "../../src/base/log.ts";
import { WorkflowLibrary } from "../../src/engine/workflow-library.ts";
import type { Database } from "../../src/store/database.ts";
import { builtinFolder, readWorkflowFolder } from "../../src/workflow/sources.ts";

const common = [readWorkflowFolder(builtinFolder)];
const none = { ...readWorkflowFolder("/nowhere"), folder: "/nowhere" };

/** The workflows that come with Drover, and those of another folder if there is one, in force in a database. */
export function builtinWorkflows(
  database: Database,
  folder?: string,
): { readonly workflows: WorkflowLibrary; readonly inForce: Promise<void> } {
  const all = folder === undefined ? common : [...common, readWorkflowFolder(folder)];
  const workflows = new WorkflowLibrary({ database, log: silentLog }, { common: () => all, ofProject: () => none });
  return { workflows, inForce: workflows.all().length > 0 ? Promise.resolve() : workflows.refresh([]) };
}
