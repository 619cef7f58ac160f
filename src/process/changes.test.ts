import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { silentLog } from "../base/log.ts";
import { Changes } from "./changes.ts";

const { signal } = new AbortController();
let folder: string;
let clock: ManualClock;
let changes: Changes;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-changes-"));
  clock = new ManualClock();
  changes = new Changes(folder, clock, silentLog);
});
afterEach(async () => {
  changes.close();
  await rm(folder, { recursive: true });
});

test("a wait ends with the names of what changed", async () => {
  const next = changes.next(signal);
  await writeFile(join(folder, "exit"), "0");
  expect(await next).toEqual(new Set(["exit"]));
});

test("what changes between two waits ends the next one at once", async () => {
  const first = changes.next(signal);
  await writeFile(join(folder, "out"), "1");
  await first;
  await appendFile(join(folder, "out"), "2");
  expect(await changes.next(signal)).toEqual(new Set(["out"]));
});

test("every few seconds it is time to look at everything, whether nothing changes or much does", async () => {
  const quiet = changes.next(signal);
  clock.advance(5_000);
  expect(await quiet).toBeUndefined();
  clock.advance(4_999);
  const busy = changes.next(signal);
  await writeFile(join(folder, "out"), "1");
  expect(await busy).toEqual(new Set(["out"]));
  clock.advance(1);
  await writeFile(join(folder, "out"), "2");
  expect(await changes.next(signal)).toBeUndefined();
});

test("a wait ends with the signal's reason", async () => {
  const abort = new AbortController();
  const next = changes.next(abort.signal);
  const reason = new Error("enough");
  abort.abort(reason);
  await expect(next).rejects.toBe(reason);
  await expect(changes.next(abort.signal)).rejects.toBe(reason);
});

test("a folder that is not there is looked for every few seconds", async () => {
  const absent = new Changes(join(folder, "none"), clock, silentLog);
  const next = absent.next(signal);
  clock.advance(5_000);
  expect(await next).toBeUndefined();
  absent.close();
});
