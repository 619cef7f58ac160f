import { z } from "zod";
import { PassName, PRD_MAX, PrdFormat, PrdPreview, PrdStatus } from "./prd.ts";
import { route, type Route } from "./route.ts";
import { Task, TaskPriority } from "./task.ts";
import { WorkflowName } from "./workflow.ts";

/** A PRD as it is sent: its text, and the name of its file, which says its form and is never opened. */
const sent = {
  project: z.string().min(1),
  file: z.string().min(1).max(500),
  text: z.string().max(PRD_MAX + 1000),
};

/** What can be asked of PRDs. */
export const prdRoutes = {
  getPrdTemplate: route({
    method: "GET",
    path: "/api/prd-template",
    answers: "text",
    summary: "A PRD to begin with",
    query: z.strictObject({ format: PrdFormat.default("md") }),
    response: z.string(),
  }),
  previewPrd: route({
    method: "POST",
    path: "/api/prds/preview",
    summary: "What would become of a PRD, and what that may take; nothing is kept",
    body: z.strictObject({ ...sent, project: sent.project.optional() }),
    response: PrdPreview,
  }),
  runPrd: route({
    method: "POST",
    path: "/api/prds",
    status: 201,
    summary: "Have a PRD built; the same one again is the same task",
    body: z.strictObject({
      ...sent,
      delivery: z.enum(["pull_request", "branch"]).default("pull_request"),
      workflow: WorkflowName.default("prd"),
      priority: TaskPriority.optional(),
    }),
    response: Task.extend({ created: z.boolean() }),
  }),
  getPrd: route({
    method: "GET",
    path: "/api/prds/{task}",
    summary: "A PRD that is built, with the passes of its decomposition",
    response: PrdStatus,
  }),
  changePass: route({
    method: "PUT",
    path: "/api/prds/{task}/passes/{pass}",
    params: z.object({ task: z.string(), pass: PassName }),
    summary: "Change what a pass came to while it waits for approval; what the rules refuse is refused here too",
    body: z.strictObject({ result: z.record(z.string(), z.unknown()) }),
    response: PrdStatus,
  }),
} as const satisfies Record<string, Route>;
