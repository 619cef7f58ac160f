import { getReport, listReports } from "../../store/reports.ts";
import { requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

/** What supervisory and manager agents concluded. */
export function reportVerbs({ database }: ControlParts): Verbs<"listReports" | "getReport"> {
  const { reader } = database;

  return {
    listReports({ query }) {
      const { project, task, ...filter } = query;
      const items = listReports(reader, {
        ...filter,
        ...(project !== undefined && { projectId: requireProject(reader, project).id }),
        ...(task !== undefined && { taskId: requireTask(reader, task).id }),
      });
      return { items, next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },

    getReport: ({ params }) => getReport(reader, params.report),
  };
}
