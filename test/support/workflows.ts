import { silentLog } from "../../src/base/log.ts";
import { WorkflowLibrary } from "../../src/engine/workflow-library.ts";
import type { Database } from "../../src/store/database.ts";
import { builtinFolder, readWorkflowFolder } from "../../src/workflow/sources.ts";

const common = [readWorkflowFolder(builtinFolder)];
const none = { ...readWorkflowFolder("/nowhere"), folder: "/nowhere" };

/** The workflows that come with Drover, in force in a database. */
export function builtinWorkflows(database: Database): { readonly workflows: WorkflowLibrary; readonly inForce: Promise<void> } {
  const workflows = new WorkflowLibrary({ database, log: silentLog }, { common: () => common, ofProject: () => none });
  return { workflows, inForce: workflows.all().length > 0 ? Promise.resolve() : workflows.refresh([]) };
}
