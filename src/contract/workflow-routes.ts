import { z } from "zod";
import { route, type Route } from "./route.ts";
import { WorkflowVersion } from "./workflow.ts";

/** What can be asked of the workflows in force and their versions. */
export const workflowRoutes = {
  listWorkflows: route({
    method: "GET",
    path: "/api/workflows",
    summary: "The workflows in force, for all projects or as one project has them",
    query: z.strictObject({ project: z.string().optional() }),
    response: z.object({ items: z.array(WorkflowVersion) }),
  }),
  getWorkflow: route({
    method: "GET",
    path: "/api/workflows/{workflow}",
    summary: "One workflow with its versions, the newest first, at most 50",
    query: z.strictObject({ project: z.string().optional() }),
    response: WorkflowVersion.extend({ versions: z.array(WorkflowVersion.omit({ workflow: true })) }),
  }),
  renderWorkflow: route({
    method: "GET",
    path: "/api/workflows/{workflow}/render",
    answers: "text",
    summary: "The prompt of a stage as an agent would get it, with made-up data",
    query: z.strictObject({ project: z.string().optional(), stage: z.string().optional() }),
    response: z.string(),
  }),
} as const satisfies Record<string, Route>;
