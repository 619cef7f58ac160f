import { messageOf } from "../base/errors.ts";
import { repeat, type Repeating } from "../base/repeat.ts";
import type { Admission } from "./dispatcher.ts";
import type { EngineParts } from "./parts.ts";

const MEASURE_EVERY_MS = 5000;
const MEGABYTE = 1024 * 1024;

/** Measures what all agents together use, and says whether there is room for another one. Measures only while agents run. */
export class AdmissionGauge {
  readonly #parts: EngineParts;
  readonly #isBusy: () => boolean;
  readonly #onRoom: () => void;
  #repeating: Repeating | undefined;
  #measured = { memoryBytes: 0, cpuPercent: 0 };

  /** @param onRoom called when there is room again after there was none. */
  constructor(parts: EngineParts, isBusy: () => boolean, onRoom: () => void) {
    this.#parts = parts;
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
      () => MEASURE_EVERY_MS,
      () => this.runOnce(),
      onError,
    );
  }

  async stop(): Promise<void> {
    await this.#repeating?.stop();
  }

  admit(): Admission {
    const { maxMemoryMB, maxCpuPercent } = this.#parts.settings.current().resources;
    const usedMB = Math.round(this.#measured.memoryBytes / MEGABYTE);
    if (usedMB >= maxMemoryMB) return { admitted: false, why: `agents use ${usedMB} MB of ${maxMemoryMB} MB` };
    const cpu = Math.round(this.#measured.cpuPercent);
    if (cpu >= maxCpuPercent) return { admitted: false, why: `agents use ${cpu} % of the processors, the limit is ${maxCpuPercent} %` };
    return { admitted: true };
  }

  async runOnce(): Promise<void> {
    const before = this.admit();
    this.#measured = this.#isBusy() ? await this.#parts.host.measure() : { memoryBytes: 0, cpuPercent: 0 };
    if (!before.admitted && this.admit().admitted) this.#onRoom();
  }
}
