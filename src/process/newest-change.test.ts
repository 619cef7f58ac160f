import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { newestChange } from "./newest-change.ts";

const { signal } = new AbortController();

/** A folder with these files, each last changed at a second; the folders at 0. */
function folderWith(files: Readonly<Record<string, number>>): string {
  const folder = mkdtempSync(join(tmpdir(), "newest-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of Object.keys(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), "");
  }
  for (const [name, second] of Object.entries(files)) {
    utimesSync(join(folder, name), second, second);
    if (dirname(name) !== ".") utimesSync(join(folder, dirname(name)), 0, 0);
  }
  return folder;
}

test("the newest change is found however deep it is, but not where only tools write", async () => {
  const folder = folderWith({ "a.txt": 10, "src/b.ts": 30, "docs/c.md": 20, ".git/index": 90, "node_modules/x.js": 80 });
  expect(await newestChange(folder, signal)).toBe(30_000);
});

test("a folder that is empty or not there has none", async () => {
  expect(await newestChange(folderWith({}), signal)).toBeNull();
  expect(await newestChange("/nowhere/at/all", signal)).toBeNull();
});
