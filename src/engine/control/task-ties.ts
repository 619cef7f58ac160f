import { setDependencies } from "../../store/dependencies.ts";
import { loadGraph } from "../../store/graph.ts";
import { getTask, listTree } from "../../store/tasks.ts";
import { audited, requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names = "getTaskTree" | "setDependencies" | "getGraph";

/** Open tasks of a graph; with more nobody could read it. */
const GRAPH_MAX = 500;

/** What tasks have to do with each other: what they wait for, and what they are parts of. */
export function taskTieVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  return {
    getTaskTree({ params }) {
      return { items: listTree(reader, requireTask(reader, params.task).id) };
    },

    setDependencies({ params, body, actor }) {
      const { id, key } = requireTask(reader, params.task);
      return audited(parts, { actor, action: "task.depend", subject: key, detail: { dependsOn: body.dependsOn } }, (tx) => {
        const dependsOn = body.dependsOn.map((each) => requireTask(tx, each).id);
        setDependencies(tx, getTask(tx, id), dependsOn, actor);
        return getTask(tx, id);
      });
    },

    getGraph: ({ query }) =>
      loadGraph(reader, { limit: GRAPH_MAX, ...(query.project !== undefined && { projectId: requireProject(reader, query.project).id }) }),
  };
}
