import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runSimulation } from "../support/simulation.ts";
import { mutants, type Mutant } from "./mutants.ts";

// A simulator that finds nothing may only be blind: each of these bugs, planted in a copy of the program, must show.

const root = join(import.meta.dirname, "../..");
const COPIED = ["package.json", "migrations", "src", "test/simulate", "test/support/workflows.ts"];
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "drover-mutant-"));
  for (const path of COPIED) cpSync(join(root, path), join(copy, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

test.each(mutants)("the simulator notices: $name", { timeout: 10 * 60_000 }, async (mutant) => {
  plant(mutant);
  const { lines, exitCode, errors } = await runSimulation(copy, { from: 1, seeds: 40, tasks: 150, agents: 8 });
  expect({ errors, exitCode, violation: lines.at(-1)?.["violation"] }).toEqual({
    errors: "",
    exitCode: 1,
    violation: expect.stringMatching(/^seed \d+: /),
  });
});

function plant({ edits }: Mutant): void {
  for (const { file, find, replace } of edits) {
    const path = join(copy, file);
    const text = readFileSync(path, "utf8");
    expect(text.split(find), `${file} has the place to plant it in exactly once`).toHaveLength(2);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
}
