import { AppError } from "../../base/errors.ts";
import { dequeueBranch, enqueueBranch, listBranchesToMerge } from "../../store/branches.ts";
import { audited, requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names = "listMerges" | "addMerge" | "removeMerge";

/** The merge queue: what waits in it, putting a finished branch into it, taking one out. */
export function mergeVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  return {
    listMerges({ query }) {
      const project = query.project === undefined ? undefined : requireProject(reader, query.project).id;
      return { items: listBranchesToMerge(reader, project) };
    },

    addMerge({ params, actor }) {
      const { id, key, status } = requireTask(reader, params.task);
      if (status !== "succeeded") throw new AppError("conflict", `${key} is ${status}. Only finished work can be merged.`, { status });
      return audited(parts, { actor, action: "merge.add", subject: key }, (tx) => enqueueBranch(tx, id));
    },

    removeMerge({ params, actor }) {
      const { id, key } = requireTask(reader, params.task);
      return audited(parts, { actor, action: "merge.remove", subject: key }, (tx) => dequeueBranch(tx, id, `Taken out by ${actor}.`));
    },
  };
}
