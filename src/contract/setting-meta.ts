import { z } from "zod";

/**
 * What is `global` is set in the home's file, the environment and flags only; what is `project` has its default there and
 * a project's own value in its `.drover/config.yaml`. The file of a project comes with its repository, so it must not be
 * able to raise a limit of this machine or to lead a secret of it elsewhere.
 */
export type ConfigScope = "global" | "project";

/** What a setting carries besides its type. */
export interface SettingMeta {
  description: string;
  /** Of a section; or of one setting that is global although its section is the project's. */
  scope?: ConfigScope;
  /** `min`, a limit: a project's value may lower the global one, never raise it. `confined`: it may not leave confinement. */
  tighten?: "min" | "confined";
  /** Read when the daemon starts; all others take effect at once. */
  needsRestart?: true;
}
/** Says what a setting means. */
export const doc = (description: string, more: Omit<SettingMeta, "description"> = {}): SettingMeta & Record<string, unknown> => ({
  description,
  ...more,
});

/** A name of an environment variable. */
export const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "use the name of an environment variable");
const DAYS_7_MS = 7 * 24 * 3_600_000;
/** A duration. */
export const milliseconds = (min: number, max = DAYS_7_MS) => z.int().min(min).max(max);
