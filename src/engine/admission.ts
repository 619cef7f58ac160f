import { messageOf } from "../base/errors.ts";
import { repeat, type Repeating } from "../base/repeat.ts";
import type { ProjectId } from "../contract/ids.ts";
import { admitToMachine, admitToMemory, type Admission } from "../domain/admission.ts";
import type { HostUse, MemoryPressure } from "../process/host.ts";
import type { Reader } from "../store/database.ts";
import { learnedMemory, openFootprints, recordMemory } from "../store/footprints.ts";
import { totalLimits } from "./limits.ts";
import type { LimitWatch } from "./limit-watch.ts";
import type { EngineParts } from "./parts.ts";

/** How often agents are measured: where the kernel holds their limits, and where only we do. */
const MEASURE_EVERY_MS = { limited: 5000, unlimited: 1000 };
/** A new peak is worth noting when it is this much above the one that was noted. */
const NOTED_RISE = 1.05;

const NOTHING: HostUse = { memoryBytes: 0, cpuPercent: 0, runs: new Map(), isLimited: false };

/**
 * Measures what the agents use: to say whether there is room for another one, to end those that passed their limits, and to
 * learn what the agents of a project need. Measures only while agents run.
 */
export class AdmissionGauge {
  readonly #parts: EngineParts;
  readonly #limits: LimitWatch;
  readonly #isBusy: () => boolean;
  readonly #onRoom: () => void;
  #repeating: Repeating | undefined;
  #measured = NOTHING;
  #pressure: MemoryPressure = { stalledPercent: null, availableBytes: null };
  #wasRefused = false;

  /** @param onRoom called when there may be room again after there was none. */
  constructor(parts: EngineParts, limits: LimitWatch, isBusy: () => boolean, onRoom: () => void) {
    this.#parts = parts;
    this.#limits = limits;
    this.#isBusy = isBusy;
    this.#onRoom = onRoom;
  }

  get memoryBytes(): number {
    return this.#measured.memoryBytes;
  }

  start(): void {
    const { clock, log } = this.#parts;
    // When it fails the last measurement stands: a process table that can't be read is no sign of room.
    const onError = (thrown: unknown) => log.warn("agents not measured", { error: messageOf(thrown) });
    this.#repeating = repeat(
      clock,
      () => (this.#measured.isLimited ? MEASURE_EVERY_MS.limited : MEASURE_EVERY_MS.unlimited),
      () => this.runOnce(),
      onError,
    );
  }

  async stop(): Promise<void> {
    await this.#repeating?.stop();
  }

  /** Whether another agent may be started, whichever it is. */
  admit(): Admission {
    return this.#noting(
      admitToMachine({
        running: this.#isBusy() ? 1 : 0,
        cpuPercent: this.#measured.cpuPercent,
        maxCpuPercent: this.#parts.settings.current().resources.maxCpuPercent,
        stalledPercent: this.#pressure.stalledPercent,
      }),
    );
  }

  /** Whether an agent of this project may be started beside those of the open runs. */
  admitProject(reader: Reader, projectId: ProjectId): Admission {
    const learned = new Map<ProjectId, number>();
    const learn = (id: ProjectId) => learned.get(id) ?? learned.set(id, learnedMemory(reader, id)).get(id) ?? 0;
    return this.#noting(
      admitToMemory({
        maxBytes: totalLimits(this.#parts.settings.current()).memoryBytes,
        running: openFootprints(reader).map((run) => ({
          usedBytes: this.#measured.runs.get(run.id)?.memoryBytes ?? 0,
          learnedBytes: learn(run.projectId),
        })),
        learnedBytes: learn(projectId),
        availableBytes: this.#pressure.availableBytes,
      }),
    );
  }

  async runOnce(): Promise<void> {
    this.#pressure = await this.#parts.host.readMemoryPressure();
    this.#measured = this.#isBusy() ? await this.#parts.host.measure() : { ...NOTHING, isLimited: this.#measured.isLimited };
    this.#limits.check(this.#measured);
    await this.#learn();
    if (this.#wasRefused) {
      this.#wasRefused = false;
      this.#onRoom();
    }
  }

  async #learn(): Promise<void> {
    const { database } = this.#parts;
    const risen = openFootprints(database.reader).flatMap(({ id, peakBytes }) => {
      const bytes = this.#measured.runs.get(id)?.memoryBytes ?? 0;
      return bytes > peakBytes * NOTED_RISE ? [{ id, bytes }] : [];
    });
    if (risen.length > 0) await database.write((tx) => risen.forEach(({ id, bytes }) => recordMemory(tx, id, bytes)));
  }

  #noting(admission: Admission): Admission {
    if (!admission.admitted) this.#wasRefused = true;
    return admission;
  }
}
