import { rm } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../../base/ids.ts";
import type { CheckComparison } from "../../contract/proof.ts";
import type { ForgeProject } from "../../forge/forge.ts";
import { findAgent, findIsolation } from "../job.ts";
import type { EngineParts } from "../parts.ts";
import type { Verifier } from "../verification.ts";

/** Runs a project's checks on commits that no run works on, in the isolation that its agents have: what they run was written by those. */
export class CommitChecker {
  readonly #parts: EngineParts;
  readonly #verifier: Verifier;
  readonly #markers = new Set<string>();

  constructor(parts: EngineParts, verifier: Verifier) {
    this.#parts = parts;
    this.#verifier = verifier;
  }

  /** Whether processes with this marker are its own, so that no sweep may end them. */
  isAtWork(marker: string): boolean {
    return this.#markers.has(marker);
  }

  /** @param title what people see of the commits: the key of a task, or of several. */
  async compare(
    { project, config }: ForgeProject,
    commits: { readonly base: string; readonly head: string },
    title: string,
    signal: AbortSignal,
  ): Promise<CheckComparison[]> {
    const id = newId("run");
    const isolation = findIsolation(this.#parts, config.defaults.isolation);
    const { agent } = findAgent(this.#parts, config.defaults.agent);
    const directory = join(this.#parts.paths.runs, "branches", id);
    const work = { project, config, isolation, directory, agent, run: { id, agent: config.defaults.agent }, task: { key: title } };
    this.#markers.add(id);
    try {
      return await this.#verifier.compareCommits(work, commits, signal);
    } finally {
      this.#markers.delete(id);
      await isolation.release(id);
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** What the broken ones of these checks printed, for people and agents. */
export function describeBroken(comparisons: readonly CheckComparison[]): string | undefined {
  const broken = comparisons.filter(({ verdict }) => verdict === "broken");
  if (broken.length === 0) return undefined;
  return broken
    .map(({ command, head, newFailures }) =>
      [
        `$ ${command}  (exit code ${head.exitCode ?? "none: it hit its time limit"})`,
        ...newFailures.map((name) => `new failure: ${name}`),
        head.outputTail,
      ].join("\n"),
    )
    .join("\n\n");
}
