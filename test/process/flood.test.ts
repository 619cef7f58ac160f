import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { collect } from "../support/collect.ts";
import { openRealHost, type RealHostFixture } from "../support/host-fixture.ts";

const { signal } = new AbortController();
const MIB = 2 ** 20;
const OUTPUT_MAX = 16 * MIB;
/** So much that a reader on a busy machine is never too far behind. */
const ROOMY_MAX = 96 * MIB;

let fixture: RealHostFixture;
beforeEach(async () => {
  fixture = await openRealHost({ outputMaxBytes: OUTPUT_MAX });
});
afterEach(() => fixture[Symbol.asyncDispose]());

const onDisk = async (path: string) => (await stat(path)).blocks * 512;
/** By how much the memory of this process has grown at most. */
class MemoryPeak {
  readonly #before = process.memoryUsage.rss();
  growth = 0;
  look(): void {
    this.growth = Math.max(this.growth, process.memoryUsage.rss() - this.#before);
  }
}

test("300 MB of output pass through little memory, what was read leaves the disk, and offsets stay true", async () => {
  await using roomy = await openRealHost({ outputMaxBytes: ROOMY_MAX });
  const { host, command } = roomy;
  const { directory, ...rest } = command("floods-stdout.sh", "300");
  await host.start({ directory, ...rest });
  const peak = new MemoryPeak();
  let lines = 0;
  let end = 0;
  for await (const line of host.readLines(directory, { from: 0, follow: true, signal })) {
    end += 1024;
    if (line.end !== end || line.text.length !== 1023) expect.fail(`line ${lines} is ${line.text.length} long and ends at ${line.end}`);
    if ((lines += 1) % 1000 === 0) peak.look();
  }
  expect(lines).toBe(300 * 1024);
  expect(peak.growth).toBeLessThan(128 * MIB);
  const out = join(directory, "out");
  expect((await stat(out)).size).toBe(300 * MIB);
  expect(await onDisk(out)).toBeLessThan(ROOMY_MAX);

  // Who comes back to an offset that is a little behind finds all; who starts over gets whole lines of what is left.
  const from = 300 * MIB - 7 * MIB;
  const [next] = await collect(host.readLines(directory, { from, follow: false, signal }));
  expect(next).toEqual({ text: "0".repeat(1023), end: from + 1024 });
  const left = await collect(host.readLines(directory, { from: 0, follow: false, signal }));
  expect(left.length).toBeGreaterThan(7 * 1024);
  expect(left.every(({ text, end }) => text.length === 1023 && end % 1024 === 0)).toBe(true);
});

test("of a flood that nobody keeps up with, the head is left out and leaves the disk unread", async () => {
  const { host, command } = fixture;
  const { directory, ...rest } = command("floods-stdout.sh", "300");
  await host.start({ directory, ...rest });
  await host.waitForEnd(directory, signal);
  const lines = await collect(host.readLines(directory, { from: 0, follow: true, signal }));
  // Half of what may be kept, less the line that it begins in.
  expect(lines).toHaveLength((OUTPUT_MAX / MIB / 2) * 1024 - 1);
  expect(lines.at(-1)).toEqual({ text: "0".repeat(1023), end: 300 * MIB });
  expect(await onDisk(join(directory, "out"))).toBeLessThan(OUTPUT_MAX);
});

test("a line without end is left out and not kept in memory; the next ones come", async () => {
  const { host, command } = fixture;
  const script = "echo before; head -c 200000000 /dev/zero | tr '\\0' x; echo; echo after";
  const held = { ...command("waits.sh"), argv: ["/bin/sh", "-c", script] as const };
  await host.start(held);
  const peak = new MemoryPeak();
  const texts = [];
  for await (const line of host.readLines(held.directory, { from: 0, follow: true, signal })) {
    texts.push(line);
    peak.look();
  }
  expect(texts).toEqual([
    { text: "before", end: 7 },
    { text: "after", end: 200_000_014 },
  ]);
  expect(peak.growth).toBeLessThan(128 * MIB);
});

test("a flood on stderr is cut at its head, and its end stays readable", async () => {
  const { host, command } = fixture;
  const flood = command("floods-stdout.sh", "40");
  const held = { ...flood, argv: ["/bin/sh", "-c", '/bin/sh "$0" 40 >&2; echo end >&2', flood.argv[1] ?? ""] as const };
  await host.start(held);
  await host.waitForEnd(held.directory, signal);
  await collect(host.readLines(held.directory, { from: 0, follow: true, signal }));
  expect(await host.readErrors(held.directory, 10)).toBe("00000\nend\n");
  expect(await onDisk(join(held.directory, "err"))).toBeLessThan(OUTPUT_MAX);
});
