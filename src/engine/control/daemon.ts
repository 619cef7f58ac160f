import { ConfigOrigin } from "../../contract/config.ts";
import { countOpenAlerts } from "../../store/alerts.ts";
import { backUp, verify } from "../../store/backup.ts";
import { countPendingEffects } from "../../store/effects.ts";
import { lastSequence } from "../../store/events.ts";
import { countProjects } from "../../store/projects.ts";
import { isPaused } from "../../store/settings.ts";
import { countTasks } from "../../store/tasks.ts";
import { countCircuits } from "./circuits.ts";
import { workersMax } from "../governor.ts";
import { audited, requireProject, type ControlParts, type Verbs } from "./scope.ts";

type Names = "health" | "getDaemon" | "stopDaemon" | "getConfig" | "setSetting" | "backUpStore" | "verifyStore";

/** The daemon itself: health, numbers, configuration, backups. */
export function daemonVerbs(parts: ControlParts): Verbs<Names> {
  const { database, daemon, settings, paths } = parts;
  const { reader } = database;

  return {
    health: () => ({
      status: daemon.status(),
      version: daemon.version,
      problems: daemon.problems(),
      circuits: countCircuits(parts),
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
        workers: { max: workersMax(parts, reader), running: counts.running },
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

    async setSetting({ body, actor }) {
      const warnings = parts.edits.setSetting(body.key, body.value);
      await audited(parts, { actor, action: "config.set", subject: body.key, detail: { value: body.value } }, () => undefined);
      return { warnings: [...warnings] };
    },

    async backUpStore({ actor }) {
      const copy = await backUp(database, paths.backups);
      await audited(parts, { actor, action: "store.backup", subject: copy.path }, () => undefined);
      return copy;
    },

    verifyStore: () => verify(paths.database),
  };
}
