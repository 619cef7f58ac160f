import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { Spawner } from "../../src/process/spawner.ts";
import { scopePrefix } from "../../src/process/systemd-scope.ts";
import { PATH } from "../support/held-command.ts";

let folder: string;
let spawner: Spawner;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-scope-"));
  spawner = new Spawner(PATH, systemClock, silentLog);
});
afterEach(async () => {
  await spawner.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A program in the place of systemd-run that notes what it is asked for, and becomes the command. */
function standIn(lastWord: string): string[] {
  const [name = "", ...args] = scopePrefix({ unit: "drover-1", isRoot: false });
  const program = join(folder, name);
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" >'${folder}/asked'\nwhile [ "$1" != -- ]; do shift; done\nshift\n${lastWord}\n`);
  chmodSync(program, 0o755);
  return [program, ...args];
}

test("the spawner goes on in a scope of its own, under the pid that it says", async () => {
  const [big, small] = [join(folder, "big"), join(folder, "small")];
  writeFileSync(big, "x");
  await spawner.free(big, 1);
  const pid = await spawner.enter(standIn('exec "$@"'));
  const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  expect(command.slice(0, 2)).toEqual(["/bin/sh", expect.stringMatching(/\/spawner\.sh$/u)]);
  const asked = readFileSync(join(folder, "asked"), "utf8").split("\n");
  expect(asked.slice(0, 6)).toEqual(["--user", "--scope", "--quiet", "--collect", "--unit=drover-1.scope", "--property=Delegate=yes"]);
  writeFileSync(small, "x");
  await spawner.free(small, 1);
  expect(await spawner.enter(standIn('exec "$@"'))).not.toBe(pid);
});

test.each(["exit 1", "exec /nowhere/at-all"])("where there is no scope to be had, it goes on as it was: %s", async (lastWord) => {
  expect(await spawner.enter(standIn(lastWord))).toBeUndefined();
  expect(await spawner.enter([join(folder, "missing")])).toBeUndefined();
  const file = join(folder, "file");
  writeFileSync(file, "x");
  expect((await spawner.free(file, 1)).word).toMatch(/^(?:done|failed)$/u);
});

test("root has the system's own systemd do it", () => {
  expect(scopePrefix({ unit: "drover-1", isRoot: true })).toEqual(
    scopePrefix({ unit: "drover-1", isRoot: false }).filter((word) => word !== "--user"),
  );
});
