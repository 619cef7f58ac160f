import type { Api } from "../api/server.ts";
import { AppError, messageOf } from "../base/errors.ts";
import type { Project } from "../contract/project.ts";
import type { Health, StopMode } from "../contract/routes.ts";
import type { Engine } from "../engine/engine.ts";
import type { Teller } from "../channels/teller.ts";
import type { EngineParts } from "../engine/parts.ts";
import type { Intake } from "../intake/intake.ts";
import { identifySelf } from "../process/identify.ts";
import type { ProcessTable } from "../process/process-table.ts";
import type { RealProcessHost } from "../process/real-host.ts";
import type { Publisher } from "../publish/publisher.ts";
import { countOpenAlerts, raiseAlert, resolveAlerts } from "../store/alerts.ts";
import { endCoolDowns } from "../store/circuits.ts";
import { appendAudit } from "../store/audit.ts";
import type { Transaction } from "../store/database.ts";
import { appendEvent } from "../store/events.ts";
import { listProjects } from "../store/projects.ts";
import type { InstanceLock } from "./instance-lock.ts";
import type { LogFiles } from "./log-files.ts";
import { RunJournal } from "./run-journal.ts";
import type { LiveSettings, SettingsListener } from "./settings.ts";
import { version } from "./version.ts";
import type { WorkflowWatch } from "./workflow-watch.ts";

/** What alerts of the home's file are about; those of a project's file are about the project. */
const HOME_FILE = "configuration";

export interface LifeParts {
  readonly parts: EngineParts;
  readonly engine: Engine;
  readonly intake: Intake;
  readonly publisher: Publisher;
  readonly workflowWatch: WorkflowWatch;
  readonly teller: Teller;
  readonly host: RealProcessHost;
  readonly table: ProcessTable;
  readonly logFiles: LogFiles;
  readonly lock: InstanceLock;
  readonly settings: LiveSettings;
}

/** How little each mode leaves to the agents. */
const HARDNESS: readonly StopMode[] = ["drain", "stop", "kill"];

/** Starts the parts in order, and stops them in the reverse one. */
export class Life {
  readonly #with: LifeParts;
  readonly #journal: RunJournal;
  readonly stopped: Promise<void>;
  #resolveStopped: () => void = () => {};
  #api: Api | undefined;
  #stopping: Promise<void> | undefined;
  #mode: StopMode = "drain";
  #holdsAgents = true;
  url = "";
  #phase: "starting" | "ok" | "stopping" = "starting";

  constructor(life: LifeParts) {
    this.#with = life;
    this.#journal = new RunJournal(life.parts.database, life.logFiles, life.parts.log);
    this.stopped = new Promise((resolve) => (this.#resolveStopped = resolve));
  }

  async start(api: Api, { address, port }: { address: string; port: number }): Promise<void> {
    const { parts, engine, intake, publisher, teller, table, lock, settings } = this.#with;
    this.#api = api;
    this.url = (await api.start(address, port)).url;
    const self = await identifySelf(table);
    lock.publish({ pid: self.pid, startTime: self.startTime, url: this.url, version });
    await parts.database.write((tx) => appendEvent(tx, { type: "daemon.started", data: { version, pid: self.pid } }));
    settings.listen(this.#settingsListener());
    await teller.start();
    await parts.database.write((tx) => notePresentFiles(tx, settings));
    await this.#with.workflowWatch.start();
    await engine.start();
    publisher.start();
    intake.start();
    this.#phase = "ok";
    parts.log.info("daemon started", { url: this.url, version });
  }

  /** A changed limit holds at once; a wrong file leaves the last good one in force and shows as an alert until mended. */
  #settingsListener(): SettingsListener {
    const { parts, engine, teller, logFiles, settings } = this.#with;
    const note = (work: Parameters<typeof parts.database.write<void>>[0]) =>
      parts.database.write(work).catch((thrown: unknown) => parts.log.error("change of settings not noted", { error: messageOf(thrown) }));
    const ownerOf = (file: string | null) => listProjects(parts.database.reader).find((project) => settings.isOf(project, file));
    return {
      onChange(keys, file) {
        logFiles.setLevel(settings.current().logging.level);
        engine.obeySettings();
        teller.obeySettings().catch((thrown: unknown) => parts.log.error("change of channels not noted", { error: messageOf(thrown) }));
        const owner = ownerOf(file);
        const subject = owner?.name ?? HOME_FILE;
        parts.log.info("settings changed", { file, keys });
        void note((tx) => {
          appendEvent(tx, { type: "config.changed", ...(owner && { projectId: owner.id }), data: { keys: [...keys] } });
          appendAudit(tx, { actor: "daemon", action: "config.change", subject, detail: { keys } });
          resolveAlerts(tx, "config_rejected", subject);
          if (keys.some((key) => key === "agents" || key.startsWith("agents."))) endCoolDowns(tx);
        });
      },
      onRejected({ message }, file) {
        parts.log.warn("settings rejected", { file, error: message });
        void note((tx) => noteRejected(tx, ownerOf(file), message));
      },
    };
  }

  /** `degraded`: it works, and there is something that a person must see to. */
  get status(): Health["status"] {
    return this.#phase === "ok" && this.problems().length > 0 ? "degraded" : this.#phase;
  }

  problems(): string[] {
    const { database } = this.#with.parts;
    const alerts = countOpenAlerts(database.reader);
    const { heldBack } = this.#with.engine.dispatcher;
    return [
      ...(heldBack === null ? [] : [`Work waits for room on this machine: ${heldBack}.`]),
      ...(database.isDiskFull ? ["The disk is full: nothing new is started until there is room."] : []),
      ...(alerts > 0 ? [`${alerts} open ${alerts === 1 ? "alert" : "alerts"}: drover alert list`] : []),
      ...this.#with.teller.failing().map((channel) => `Channel ${channel} can't be told of alerts: drover alert channels`),
      ...(this.#with.settings.error(null) === null
        ? []
        : ["The configuration file has an error; the last good one is in force: drover config validate"]),
    ];
  }

  /** The first call stops everything in order; a later one with a harder mode holds for the agents, as long as those are not let go yet. */
  stop(mode: StopMode): Promise<void> {
    if (this.#stopping === undefined) {
      this.#mode = mode;
      this.#stopping = this.#stop();
    } else if (this.#holdsAgents && HARDNESS.indexOf(mode) > HARDNESS.indexOf(this.#mode)) {
      this.#mode = mode;
      // Now, for the first call may be waiting for agents; it does the same afterwards, and then hears of a failure.
      this.#with.engine.stop(mode).catch(() => undefined);
    }
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { parts, intake, publisher, teller, workflowWatch, host, logFiles, lock, settings } = this.#with;
    this.#phase = "stopping";
    parts.log.info("daemon stops", { mode: this.#mode });
    let tooLate = this.#tooLate();
    await this.#quietly("intake", () => intake.stop(), tooLate);
    await this.#quietly("engine", () => this.#stopEngine(tooLate));
    this.#holdsAgents = false;
    if (this.#mode !== "stop") tooLate = this.#tooLate();
    await this.#quietly("publisher", () => publisher.stop(), tooLate);
    await this.#quietly("workflows", () => workflowWatch.stop(), tooLate);
    await this.#quietly("teller", () => teller.stop(), tooLate);
    await this.#quietly("settings", () => settings.stop(), tooLate);
    const noteStop = () => parts.database.write((tx) => void appendEvent(tx, { type: "daemon.stopped", data: { how: this.#mode } }));
    await this.#quietly("last event", noteStop, tooLate);
    await this.#quietly("api", () => this.#api?.stop(), tooLate);
    await this.#quietly("journal", () => this.#journal.stop(), tooLate);
    await this.#quietly("process host", () => host.close(), tooLate);
    parts.database.close();
    await logFiles.close();
    lock[Symbol.dispose]();
    this.#resolveStopped();
  }

  /** In the hardest mode that was asked for meanwhile. */
  async #stopEngine(tooLate: Promise<never>): Promise<void> {
    let done: StopMode | undefined;
    while (done !== this.#mode) {
      const mode = (done = this.#mode);
      const stopped = this.#with.engine.stop(mode);
      // The other modes wait for agents, which may take its time.
      const isLate = tooLate.catch((thrown: unknown) => {
        if (this.#mode === "stop") throw thrown;
      });
      await (mode === "stop" ? Promise.race([stopped, isLate]) : stopped);
    }
  }

  /** One part that can't stop well, or in time, must not keep the others from stopping: the next daemon takes up what it leaves. */
  async #quietly(part: string, stop: () => Promise<unknown> | undefined, tooLate?: Promise<never>): Promise<void> {
    try {
      await Promise.race([stop(), ...(tooLate ? [tooLate] : [])]);
    } catch (thrown) {
      this.#with.parts.log.error("a part did not stop well", { part, error: messageOf(thrown) });
    }
  }

  /** Rejects when the time that a stop may take is over. */
  #tooLate(): Promise<never> {
    const { clock, settings } = this.#with.parts;
    const { stopTimeoutMs } = settings.current().daemon;
    const late = Promise.withResolvers<never>();
    // Often nobody waits for it any more.
    late.promise.catch(() => {});
    clock.setTimer(stopTimeoutMs, () => late.reject(new AppError("timeout", `It had not stopped after ${stopTimeoutMs} ms.`)));
    return late.promise;
  }
}

/** What became of the files while no daemon ran, for nobody else tells of it: which were put right, and which are wrong now. */
function notePresentFiles(tx: Transaction, settings: LiveSettings): void {
  resolveAlerts(tx, "config_rejected", HOME_FILE);
  for (const project of listProjects(tx)) {
    // Reads its file.
    settings.forProject(project);
    const error = settings.error(project);
    if (error === null) resolveAlerts(tx, "config_rejected", project.name);
    else noteRejected(tx, project, error);
  }
}

function noteRejected(tx: Transaction, owner: Project | undefined, message: string): void {
  const about = owner && { projectId: owner.id };
  appendEvent(tx, { type: "config.rejected", ...about, data: { message } });
  raiseAlert(tx, { kind: "config_rejected", subject: owner?.name ?? HOME_FILE, message, ...about });
}
