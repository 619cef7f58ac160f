import { AppError } from "../../base/errors.ts";
import { listHookEvents } from "../../store/hook-events.ts";
import { useRunTool } from "../messaging/run-tools.ts";
import { requireRun, type ControlParts, type Verbs } from "./scope.ts";

type Names = "listRunHooks" | "receiveHook" | "askBroker" | "useRunTool";

/** What agents themselves tell and ask. */
export function hookVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  return {
    listRunHooks({ params, query }) {
      const { id: runId } = requireRun(reader, params.run);
      const after = query.after === undefined ? undefined : Number(query.after);
      if (Number.isNaN(after)) throw new AppError("invalid", "`after` is the `next` of the page before.");
      const items = listHookEvents(reader, { runId, category: query.category, after, limit: query.limit });
      return { items, next: items.length === query.limit ? String(items.at(-1)?.sequence) : null };
    },

    async receiveHook({ params, body }) {
      const run = requireRun(reader, params.run);
      if (run.finishedAt !== null) throw new AppError("conflict", `Run ${run.id} has ended: nobody speaks for it any more.`);
      return { recorded: await parts.engine.receiveHook(run, body) };
    },

    askBroker: ({ params, body, signal }) => parts.askBroker(requireRun(reader, params.run), body, signal),

    async useRunTool({ params, body, signal }) {
      return { text: await useRunTool(parts, requireRun(reader, params.run), body, signal) };
    },
  };
}
