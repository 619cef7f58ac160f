import { AppError } from "../../base/errors.ts";
import { ConfigOrigin } from "../../contract/config.ts";
import { countOpenAlerts, listAlerts } from "../../store/alerts.ts";
import { listAudit } from "../../store/audit.ts";
import { backUp, verify } from "../../store/backup.ts";
import { countPendingEffects } from "../../store/effects.ts";
import { eventsAfter, lastSequence, latestEvents } from "../../store/events.ts";
import { countProjects } from "../../store/projects.ts";
import { isPaused } from "../../store/settings.ts";
import { countTasks } from "../../store/tasks.ts";
import { audited, requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names =
  | "health"
  | "getDaemon"
  | "stopDaemon"
  | "getConfig"
  | "listEvents"
  | "listAudit"
  | "listAlerts"
  | "backUpStore"
  | "verifyStore";

/** The daemon itself: health, numbers, configuration, history, backups. */
export function daemonVerbs(parts: ControlParts): Verbs<Names> {
  const { database, daemon, settings, paths } = parts;
  const { reader } = database;

  return {
    health: () => ({
      status: daemon.status(),
      version: daemon.version,
      problems: daemon.problems(),
    }),

    getDaemon() {
      const counts = countTasks(reader);
      const now = parts.clock.now();
      return {
        version: daemon.version,
        pid: process.pid,
        home: paths.home,
        url: daemon.url(),
        startedAt: daemon.startedAt,
        uptimeMs: Math.max(0, now - daemon.startedAt),
        status: daemon.status(),
        paused: isPaused(reader),
        strategy: settings.current().daemon.schedulingStrategy,
        counts,
        projects: countProjects(reader),
        workers: { max: settings.current().daemon.maxProcesses, running: counts.running },
        memory: { daemonBytes: process.memoryUsage.rss(), agentsBytes: parts.engine.agentsMemoryBytes },
        totals: { succeeded: counts.succeeded, failed: counts.failed, cancelled: counts.cancelled },
        pendingEffects: countPendingEffects(reader),
        openAlerts: countOpenAlerts(reader),
        sequence: lastSequence(reader),
      };
    },

    async stopDaemon({ body, actor }) {
      await audited(parts, { actor, action: "daemon.stop", subject: "daemon", detail: { mode: body.mode } }, () => undefined);
      daemon.stop(body.mode);
      return { stopping: true };
    },

    getConfig({ query }) {
      const project = query.project === undefined ? null : requireProject(reader, query.project);
      return { settings: settings.list(project), origins: [...ConfigOrigin.options], error: settings.error(project) };
    },

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

    listAlerts({ query }) {
      const items = listAlerts(reader, {
        open: query.open,
        ...(query.after === undefined ? {} : { after: query.after }),
        limit: query.limit,
      });
      return { items, next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },

    async backUpStore({ actor }) {
      const copy = await backUp(database, paths.backups);
      await audited(parts, { actor, action: "store.backup", subject: copy.path }, () => undefined);
      return copy;
    },

    verifyStore: () => verify(paths.database),
  };
}

function cursorNumber(after: string | undefined): number {
  const sequence = Number(after ?? 0);
  if (!Number.isSafeInteger(sequence) || sequence < 0)
    throw new AppError("invalid", `after must be the "next" of a page, not ${JSON.stringify(after)}.`);
  return sequence;
}
