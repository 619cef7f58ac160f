import type { QueueStatus } from "../../contract/routes.ts";
import { orderQueue } from "../../domain/schedule.ts";
import { tellCancelled } from "../../publish/cancelled.ts";
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
    const input = parts.engine.dispatcher.input();
    const each = Math.max(2, Math.ceil(LOOKED_AT_MAX / Math.max(1, input.projects.length)));
    const tasks = input.projects.flatMap((project) => listDue(reader, project.projectId, input.now, each));
    const order = orderQueue({ ...input, tasks }, SHOWN_MAX);
    return {
      paused: isPaused(reader),
      strategy: daemon.schedulingStrategy,
      queued: countTasks(reader).queued,
      max: daemon.queueMax,
      running: countRunning(reader).total,
      next: order.map((taskId, index) => ({ position: index + 1, task: getTask(reader, taskId) })),
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
        tellCancelled(tx, begun);
        return count;
      });
      return { cancelled };
    },
  };
}
