import { AppError } from "../../base/errors.ts";
import { listAudit } from "../../store/audit.ts";
import { eventsAfter, latestEvents } from "../../store/events.ts";
import { requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names = "listEvents" | "listAudit";

/** What happened, and who did what. */
export function historyVerbs({ database }: ControlParts): Verbs<Names> {
  const { reader } = database;

  return {
    listEvents({ query }) {
      const filter = {
        ...(query.task === undefined ? {} : { taskId: requireTask(reader, query.task).id }),
        ...(query.project === undefined ? {} : { projectId: requireProject(reader, query.project).id }),
        limit: query.limit,
      };
      if (query.last) return { items: latestEvents(reader, filter), next: null };
      const items = eventsAfter(reader, cursorNumber(query.after), filter);
      return { items, next: items.length === query.limit ? String(items.at(-1)?.sequence) : null };
    },

    listAudit({ query }) {
      const items = listAudit(reader, { ...(query.after === undefined ? {} : { after: cursorNumber(query.after) }), limit: query.limit });
      return { items, next: items.length === query.limit ? String(items.at(-1)?.sequence) : null };
    },
  };
}

function cursorNumber(after: string | undefined): number {
  const sequence = Number(after ?? 0);
  if (!Number.isSafeInteger(sequence) || sequence < 0)
    throw new AppError("invalid", `after must be the "next" of a page, not ${JSON.stringify(after)}.`);
  return sequence;
}
