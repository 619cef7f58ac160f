import { z } from "zod";
import { Report, ReportScope, ReportVerdict } from "./report.ts";
import { after, limit, page, route, type Route } from "./route.ts";

/** What can be asked of the reports of supervisory and manager agents. */
export const reportRoutes = {
  listReports: route({
    method: "GET",
    path: "/api/reports",
    summary: "What supervisory and manager agents concluded, the newest first",
    query: z.strictObject({
      scope: ReportScope.optional(),
      verdict: ReportVerdict.optional(),
      project: z.string().optional(),
      task: z.string().optional().meta({ description: "about this task, or by it" }),
      limit,
      after,
    }),
    response: page(Report),
  }),
  getReport: route({ method: "GET", path: "/api/reports/{report}", summary: "One report", response: Report }),
} as const satisfies Record<string, Route>;
