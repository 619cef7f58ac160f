import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { insertProject } from "../../src/store/projects.ts";
import { verify } from "../../src/store/backup.ts";
import { ACCOUNTS } from "./agents.ts";
import { bootDrover, type Drover } from "./drover.ts";
import { Incarnation } from "./incarnation.ts";
import { checkAlways, checkAtRest, isOver } from "./invariants.ts";
import { StartWatch } from "./start-watch.ts";
import { Violation, World } from "./world.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export interface SimulationOptions {
  readonly projects: number;
  readonly tasks: number;
  readonly agentMax: number;
}

export interface SimulationResult {
  readonly tasks: number;
  readonly virtualHours: number;
  readonly crashes: number;
  readonly starts: number;
  readonly kills: number;
  readonly limits: number;
  readonly overloads: number;
  readonly openings: number;
  readonly adoptions: number;
  readonly handedOver: number;
}

/** Issues come in, and faults happen, for this long. */
const FAULTY_MS = 3 * HOUR;
/** After the last fault everything must have come to rest within this time. */
const REST_MS = 24 * HOUR;
/** At rest is what stays so for this long. */
const CALM_MS = 15 * MINUTE;
/** The rows are checked after every so many happenings; what can be checked in memory is checked after each. */
const ROWS_EVERY = 200;

/**
 * Runs the engine in a world of faults, and checks the invariants all the while and at rest. Throws `Violation`, which
 * names the seed: the same seed gives the same run.
 */
export async function simulate(seed: number, options: SimulationOptions): Promise<SimulationResult> {
  const folder = mkdtempSync(join(process.env["DROVER_SIMULATE_IN"] ?? tmpdir(), `simulate-${seed}-`));
  const world = new World(seed, options);
  const simulation = new Simulation(world, folder, options);
  try {
    await simulation.run();
    return { tasks: options.tasks, virtualHours: world.time.elapsed / HOUR, ...world.counts, ...simulation.starts.counts };
  } catch (thrown) {
    if (thrown instanceof Violation) throw new Violation(`seed ${seed}: ${thrown.message}`);
    throw thrown;
  } finally {
    await simulation.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Simulation {
  readonly #world: World;
  readonly #folder: string;
  readonly #options: SimulationOptions;
  readonly starts: StartWatch;
  #daemon: Incarnation | undefined;
  #drover: Drover | undefined;
  #happenings = 0;
  #failure: unknown;
  #wasOver = false;
  #ended = false;

  constructor(world: World, folder: string, options: SimulationOptions) {
    this.#world = world;
    this.starts = new StartWatch(world);
    this.#folder = folder;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { time } = this.#world;
    this.#boot(true);
    this.#openIssues();
    this.#plantFaults();
    this.#plantTroubles();
    await time.run(FAULTY_MS, () => this.#afterEach());
    this.#endFaults();
    for (let until = FAULTY_MS + CALM_MS; until < FAULTY_MS + REST_MS && !this.#isCalm(); until += CALM_MS) {
      await time.run(until, () => this.#afterEach());
    }
    if (this.#drover) {
      this.starts.check(this.#drover.database.reader);
      checkAtRest(this.#world, this.#drover.database);
    }
    await this.end();
    const verified = await verify(join(this.#folder, "drover.db"));
    if (!verified.ok) this.#world.fail(`the database is damaged: ${verified.problems.join("; ")}`);
  }

  /** Whether nothing is open any more, nor was a while ago. */
  #isCalm(): boolean {
    const wasOver = this.#wasOver;
    this.#wasOver = !this.#daemon?.isDead && this.#drover !== undefined && isOver(this.#drover.database);
    return this.#wasOver && wasOver;
  }

  /** Lets the last daemon die, and what it had begun to think run out, before the databases are closed. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#daemon?.kill("end");
    await this.#world.time.run(this.#world.time.elapsed, () => {});
    this.#drover?.database.close();
    this.#drover = undefined;
  }

  #boot(first: boolean): void {
    const world = this.#world;
    const daemon = new Incarnation(world.time, world.dice, world.faults, () => this.#onDeath());
    this.#daemon = daemon;
    this.#drover = bootDrover(world, daemon, this.#folder);
    if (first) this.#registerProjects(this.#drover);
    this.#drover.start().catch((thrown: unknown) => {
      if (!daemon.isDead) this.#failure = thrown;
    });
  }

  #registerProjects({ database }: Drover): void {
    for (let index = 0; index < this.#options.projects; index += 1) {
      const name = `p${index}`;
      database.writeNow((tx) =>
        insertProject(tx, {
          name,
          path: `/projects/${name}`,
          forge: "github",
          repository: `o/${name}`,
          remote: `https://forge/${name}.git`,
          baseBranch: "main",
          priority: 50 + (index % 3) * 10,
          weight: 1 + (index % 2),
          enabled: true,
        }),
      );
    }
  }

  #onDeath(): void {
    if (this.#ended) return;
    this.#world.counts.crashes += 1;
    this.#world.time.schedule(this.#world.dice.between(1, 30) * SECOND, () => this.#boot(false));
  }

  #openIssues(): void {
    const { time, dice } = this.#world;
    const numbers = new Map<string, number>();
    for (let index = 0; index < this.#options.tasks; index += 1) {
      time.schedule(dice.between(0, FAULTY_MS * 0.8), () => {
        // Some projects get many issues, some few.
        const project = `p${Math.floor(dice.roll() * dice.roll() * this.#options.projects)}`;
        const number = (numbers.get(project) ?? 0) + 1;
        numbers.set(project, number);
        this.#world.putIssue({
          project,
          number,
          title: `Issue ${number}`,
          labels: dice.chance(0.1) ? ["Claude", "db"] : ["Claude"],
          open: true,
        });
        if (dice.chance(0.03)) time.schedule(dice.between(1, 60) * MINUTE, () => this.#closeIssue(`${project}#${number}`));
      });
    }
  }

  #closeIssue(key: string): void {
    const issue = this.#world.issues.get(key);
    if (issue) this.#world.putIssue({ ...issue, open: false });
  }

  #plantFaults(): void {
    const { time, dice } = this.#world;
    time.schedule(dice.between(1, 20) * MINUTE, () => {
      if (!this.#world.faults.on) return;
      this.#world.counts.faults += 1;
      this.#oneFault();
      this.#plantFaults();
    });
  }

  #plantTroubles(): void {
    const { time, dice, faults, providers } = this.#world;
    time.schedule(dice.between(1, 12) * MINUTE, () => {
      if (!faults.on) return;
      providers.trouble(dice.pick(ACCOUNTS));
      this.#plantTroubles();
    });
  }

  #oneFault(): void {
    const world = this.#world;
    const { dice, time } = world;
    switch (dice.pick(["crash", "crash", "skew", "forge", "blind", "machine"] as const)) {
      case "crash":
        // A system in trouble often can't be asked about its processes either.
        if (dice.chance(0.5)) world.blindUntil = time.elapsed + dice.between(20, 120) * SECOND;
        return this.#daemon?.kill("kill -9");
      case "skew":
        time.skewMs = Math.round(dice.between(-HOUR, HOUR));
        return;
      case "forge":
        world.forgeDownUntil = time.elapsed + dice.between(1, 15) * MINUTE;
        return;
      case "blind":
        world.blindUntil = time.elapsed + dice.between(5, 60) * SECOND;
        return;
      case "machine":
        // The daemon and some agents go down together; other programs take their pids.
        this.#daemon?.kill("machine");
        for (const process of world.live) {
          if (dice.chance(0.5)) continue;
          world.end(process, null);
          if (dice.chance(0.5)) world.reusePid(process.pid);
        }
        return;
    }
  }

  #endFaults(): void {
    const world = this.#world;
    world.faults.on = false;
    world.time.skewMs = 0;
    world.forgeDownUntil = 0;
    world.blindUntil = 0;
    world.providers.calm();
  }

  #afterEach(): void {
    if (this.#world.violation) throw this.#world.violation;
    if (this.#failure !== undefined) throw this.#failure;
    if (++this.#happenings % ROWS_EVERY !== 0 || !this.#drover || this.#daemon?.isDead) return;
    checkAlways(this.#world, this.#drover.database);
    this.starts.check(this.#drover.database.reader);
  }
}
