import { silentLog, type Log, type LogFields } from "../../src/base/log.ts";
import { Teller } from "../../src/channels/teller.ts";
import { Config } from "../../src/contract/config.ts";
import { raiseAlert, resolveAlerts, type NewAlert } from "../../src/store/alerts.ts";
import type { Database } from "../../src/store/database.ts";
import { eventsAfter } from "../../src/store/events.ts";
import { ChannelDouble } from "./channel-double.ts";
import { addProject, scratchDatabase, type ScratchDatabase } from "./scratch-database.ts";

/** The real teller on a real database, with a double that is every channel's other side and a clock that the test moves. */
export class TellerWorld implements AsyncDisposable {
  readonly double: ChannelDouble;
  readonly scratch: ScratchDatabase = scratchDatabase();
  readonly project = addProject(this.scratch.database);
  readonly env: Record<string, string> = {};
  /** The lines of the log, with all their fields. */
  readonly logged: string[] = [];
  #config: Config["alerts"] = Config.parse({}).alerts;
  #teller: Teller | undefined;

  private constructor(double: ChannelDouble) {
    this.double = double;
    this.env["WEBHOOK_URL"] = `${double.url}/hook/k3y`;
  }

  /** @param channels as in the configuration; without them one webhook, `team`. */
  static async open(channels: Record<string, object> = { team: { kind: "webhook", urlVariable: "WEBHOOK_URL" } }): Promise<TellerWorld> {
    const world = new TellerWorld(await ChannelDouble.start());
    await world.configure(channels);
    return world;
  }

  get teller(): Teller {
    return (this.#teller ??= this.newTeller());
  }

  async configure(channels: Record<string, object>, gatherMs = 10_000): Promise<void> {
    this.#config = Config.parse({ alerts: { gatherMs, channels } }).alerts;
    await this.teller.obeySettings();
  }

  /** Another one, as the next daemon would have it. */
  newTeller(database: Database = this.scratch.database): Teller {
    const teller = new Teller({
      clock: this.scratch.clock,
      random: () => 0,
      log: this.#log(),
      database,
      redact: (text) => text.replaceAll("hunter2", "[redacted]").replaceAll("k3y", "[redacted]"),
      settings: { current: () => ({ alerts: this.#config }), secret: (variable) => this.env[variable] },
      desktopEnvironment: () => ({ PATH: this.env["PATH"] ?? "" }),
    });
    this.#teller = teller;
    return teller;
  }

  raise(alert: Partial<NewAlert> = {}): void {
    const whole = { kind: "task_failed", subject: "api#1", message: "It crashed.", ...alert };
    this.scratch.database.writeNow((tx) => raiseAlert(tx, whole));
  }

  resolve(subject = "api#1", kind = "task_failed"): void {
    this.scratch.database.writeNow((tx) => resolveAlerts(tx, kind, subject));
  }

  /** Lets time pass, and sends what is due at each moment on the way: no request takes any time. */
  async after(ms: number): Promise<void> {
    const { clock } = this.scratch;
    const until = clock.now() + ms;
    for (let next = clock.nextTimerMs; next !== undefined && clock.now() + next <= until; next = clock.nextTimerMs) {
      clock.advance(next);
      await this.teller.runOnce();
    }
    clock.advance(until - clock.now());
    await this.teller.runOnce();
  }

  /** What the store says of what was sent. */
  told(): unknown[] {
    return eventsAfter(this.scratch.database.reader, 0, { limit: 500 })
      .filter((event) => event.type === "notice.sent" || event.type === "notice.failed")
      .map(({ data }) => data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#teller?.stop();
    this.scratch[Symbol.dispose]();
    await this.double[Symbol.asyncDispose]();
  }

  #log(): Log {
    const note = (message: string, fields: LogFields = {}) => void this.logged.push(`${message} ${JSON.stringify(fields)}`);
    return { ...silentLog, warn: note, error: note };
  }
}
