import { z } from "zod";

const directory = z.string();

/** What an agent host is told: a JSON object a line, on its stdin. `directory` is the held folder of the run that is meant. */
export const HostOrder = z.discriminatedUnion("type", [
  /** Carries out the command of a folder that was made ready, unless that was refused. */
  z.object({ type: z.literal("start"), directory }),
  /** More for a run's stdin. */
  z.object({ type: z.literal("tell"), directory, text: z.string() }),
  /** Ends a run. */
  z.object({ type: z.literal("end"), directory }),
  /** Begins nothing more, and ends once it has no runs. */
  z.object({ type: z.literal("retire") }),
]);
export type HostOrder = z.infer<typeof HostOrder>;

/** What is to be carried out in an agent host: the file `command` of a held folder, where other commands have a script. */
export const HostedCommand = z.strictObject({
  cwd: z.string(),
  /** Of this run alone: it has the key of its provider. */
  env: z.record(z.string(), z.string()),
  /** `HeldCommand.marker`. */
  marker: z.string(),
});
export type HostedCommand = z.infer<typeof HostedCommand>;

/** What an agent host says, on its stdout, when it ends. */
export interface HostSummary {
  readonly runs: number;
  readonly runsAtOnceMax: number;
  /** How late its event loop came to its timers: 99 of 100 times no later, and at the worst. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}
