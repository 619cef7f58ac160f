import { appendFile, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSpool, splitObjects } from "./spool.ts";

const split = (text: string) => splitObjects(Buffer.from(text));

test.each([
  ["one a line", '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
  ["without newlines", '{"a":1}{"b":2}', ['{"a":1}', '{"b":2}']],
  ["written over several lines", '{\n  "a": {\n    "b": 1\n  }\n}\n', ['{\n  "a": {\n    "b": 1\n  }\n}']],
  ["with braces, quotes and backslashes in texts", '{"a":"}{\\"\\\\"}\n{"b":"é日"}', ['{"a":"}{\\"\\\\"}', '{"b":"é日"}']],
])("objects %s are told apart", (_, text, records) => {
  expect(split(text)).toEqual({ records, end: Buffer.byteLength(text), damaged: 0 });
});

test("what is not complete yet is left for later", () => {
  expect(split('{"a":1}\n{"b":"x')).toEqual({ records: ['{"a":1}'], end: 8, damaged: 0 });
});

test("a record that was cut short costs no other one", () => {
  expect(split('{"a":"cut\n{"b":2}\n')).toEqual({ records: ['{"b":2}'], end: 18, damaged: 1 });
  expect(split('{"a":{"c":1\n{"b":2}\n')).toEqual({ records: ['{"b":2}'], end: 20, damaged: 1 });
});

test("a spool is read on from where the last reading ended", async () => {
  await using folder = await temporary();
  const file = join(folder.path, "spool");
  expect(await readSpool(file, 0)).toEqual({ records: [], end: 0, damaged: 0 });
  await writeFile(file, '{"a":1}\n{"b"');
  const first = await readSpool(file, 0);
  expect(first).toEqual({ records: ['{"a":1}'], end: 8, damaged: 0 });
  await appendFile(file, ":2}\n");
  expect(await readSpool(file, first.end)).toEqual({ records: ['{"b":2}'], end: 16, damaged: 0 });
});

test("what an agent puts in its place is not followed anywhere, and nothing waits for it", async () => {
  await using folder = await temporary();
  await writeFile(join(folder.path, "secret"), '{"secret":1}');
  await symlink(join(folder.path, "secret"), join(folder.path, "link"));
  execFileSync("mkfifo", [join(folder.path, "pipe")]);
  for (const name of ["link", "pipe", "."]) {
    expect(await readSpool(join(folder.path, name), 0)).toEqual({ records: [], end: 0, damaged: 0 });
  }
});

async function temporary() {
  const path = await mkdtemp(join(tmpdir(), "spool-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
