import type { QueueStatus } from "../../contract/routes.ts";
import type { ProjectId } from "../../contract/ids.ts";
import { isSameLane, type Lane } from "../../domain/gates.ts";
import { orderQueue } from "../../domain/schedule.ts";
import { getProject } from "../../store/projects.ts";
import { tellEnded } from "../../publish/ended.ts";
import { countRunning, listDue } from "../../store/queue.ts";
import { isPaused, setPaused } from "../../store/settings.ts";
import { countTasks, getTask, listBegun } from "../../store/tasks.ts";
import { clearQueue } from "../../store/transitions.ts";
import { audited, type ControlParts, type Verbs } from "./scope.ts";

type Names = "getQueue" | "changeQueue" | "clearQueue";

/** The queue shows this many of the next tasks. */
const SHOWN_MAX = 100;
/** Found among about this many tasks, so that a look at a long queue stays cheap. */
const LOOKED_AT_MAX = 1000;

/** The queue: what would start next, pausing it, clearing it. */
export function queueVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  function status(): QueueStatus {
    const { daemon } = parts.settings.current();
    const { input, open, held } = parts.engine.dispatcher.look();
    const each = Math.max(2, Math.ceil(LOOKED_AT_MAX / Math.max(1, input.projects.length)));
    const isOpen = (projectId: ProjectId, lane: Lane) => open.some((one) => one.projectId === projectId && isSameLane(one.lane, lane));
    const tasks = input.projects.flatMap(({ projectId }) =>
      listDue(reader, projectId, input.now, each).flatMap(({ lane, heads }) => (isOpen(projectId, lane) ? heads : [])),
    );
    const order = orderQueue({ ...input, tasks }, SHOWN_MAX);
    return {
      paused: isPaused(reader),
      strategy: daemon.schedulingStrategy,
      queued: countTasks(reader).queued,
      max: daemon.queueMax,
      running: countRunning(reader).total,
      looks: { ...parts.engine.dispatcher.looks, everyMs: daemon.checkMs },
      next: order.map((taskId, index) => ({ position: index + 1, task: getTask(reader, taskId) })),
      held: held.slice(0, SHOWN_MAX).map(({ projectId, lane: { workflow, stage }, hold }) => ({
        project: getProject(reader, projectId).name,
        workflow,
        stage,
        ...hold,
      })),
    };
  }

  return {
    getQueue: status,

    async changeQueue({ body, actor }) {
      if (body.paused === isPaused(reader)) return status();
      await audited(parts, { actor, action: body.paused ? "queue.pause" : "queue.resume", subject: "queue" }, (tx) =>
        setPaused(tx, body.paused, actor),
      );
      return status();
    },

    async clearQueue({ actor }) {
      const cancelled = await audited(parts, { actor, action: "queue.clear", subject: "queue" }, (tx) => {
        const begun = listBegun(tx);
        const count = clearQueue(tx, actor);
        tellEnded(tx, begun);
        return count;
      });
      return { cancelled };
    },
  };
}
