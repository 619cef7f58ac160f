import { z } from "zod";
import { route } from "./route.ts";
import { WorkflowName, WorkflowVersion } from "./workflow.ts";

/** Changing settings and workflows, as a person with an editor would; what is wrong is not written. */
export const editRoutes = {
  setSetting: route({
    method: "PATCH",
    path: "/api/config",
    summary: "Set a setting in the home's file, as `drover config set` does; a wrong one changes nothing",
    body: z.strictObject({ key: z.string().min(1).max(200), value: z.string().max(10_000) }),
    response: z.object({ warnings: z.array(z.string()) }),
  }),
  getWorkflowText: route({
    method: "GET",
    path: "/api/workflows/{workflow}/text",
    params: z.object({ workflow: WorkflowName }),
    summary: "The file that a workflow for all projects is written in",
    response: z.object({ file: z.string(), text: z.string() }),
  }),
  writeWorkflow: route({
    method: "PUT",
    path: "/api/workflows/{workflow}/text",
    params: z.object({ workflow: WorkflowName }),
    summary: "Write a workflow for all projects into the home; a wrong one changes nothing and names its faults",
    body: z.strictObject({ text: z.string().max(200_000) }),
    response: WorkflowVersion,
  }),
  rollBackWorkflow: route({
    method: "POST",
    path: "/api/workflows/{workflow}/rollback",
    summary: "Put an earlier version of a workflow in force for new tasks",
    body: z.strictObject({ project: z.string().optional(), version: z.int().min(1).optional() }),
    response: WorkflowVersion,
  }),
};
