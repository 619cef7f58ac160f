import type { RunStateName } from "../../src/contract/run.ts";

/** Something that was seen so many milliseconds after the start. */
export type Seen = readonly [
  at: number,
  ...(
    | readonly ["line", string]
    /** The payload of a hook. */
    | readonly ["hook", Record<string, unknown>]
    /** A question was answered by a person. */
    | readonly ["answered", string]
    /** Times as `at`. */
    | readonly ["look", { readonly busyShare: number; readonly startedAts: readonly number[] }]
    /** When the newest file of the workspace changed, as `at`. */
    | readonly ["files", number]
    | readonly ["ended", { readonly exitCode: number | null; readonly stderr: string }]
  ),
];

/** A run of an agent as it could be seen, and what was true of it at some moments. */
export interface Situation {
  readonly agent: string;
  readonly driver: string;
  readonly about: string;
  /** recorded: of the real program. facts: put together from what is known of a program that can't be recorded here. */
  readonly source: "recorded" | "facts";
  readonly limits: { readonly silenceMs: number; readonly repeatMax: number };
  readonly seen: readonly Seen[];
  readonly expect: readonly (readonly [at: number, state: RunStateName])[];
}
