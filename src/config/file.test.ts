import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfigText, writeConfigText } from "./file.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-file-"));
  file = join(folder, "config.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("reading", () => {
  test("a missing file is no text, an empty one is an empty text", () => {
    expect(readConfigText(file)).toBeUndefined();
    writeFileSync(file, "");
    expect(readConfigText(file)).toBe("");
  });

  test("256 KB are read, one byte more is refused", () => {
    writeFileSync(file, "#".repeat(256 * 1024));
    expect(readConfigText(file)).toHaveLength(256 * 1024);
    writeFileSync(file, "#".repeat(256 * 1024 + 1));
    expect(() => readConfigText(file)).toThrow(`${file}: This file is bigger than 256 KB.`);
  });

  test("what is no text file is refused at once: a folder, a named pipe, bytes that are not UTF-8", () => {
    expect(() => readConfigText(folder)).toThrow("This is not a file.");
    execFileSync("/usr/bin/mkfifo", [file]);
    expect(() => readConfigText(file)).toThrow("This is not a file.");
    rmSync(file);
    writeFileSync(file, Buffer.from([0x61, 0xff, 0xfe]));
    expect(() => readConfigText(file)).toThrow("This file is not UTF-8 text.");
  });
});

describe("writing", () => {
  test("a text takes the place of another whole, for its owner only, and leaves nothing behind", () => {
    writeFileSync(file, "old", { mode: 0o666 });
    writeConfigText(file, "new", "old");
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777, readdirSync(folder)]).toEqual(["new", 0o600, ["config.yaml"]]);
  });

  test("a file that somebody else changed meanwhile is left as it is", () => {
    writeFileSync(file, "theirs");
    expect(() => writeConfigText(file, "ours", "before")).toThrow("was changed by someone else meanwhile");
    expect(() => writeConfigText(file, "ours", undefined)).toThrow("was changed by someone else meanwhile");
    expect([readFileSync(file, "utf8"), readdirSync(folder)]).toEqual(["theirs", ["config.yaml"]]);
  });

  test("a symbolic link stays one and its target gets the text", () => {
    const target = join(folder, "dotfiles", "drover.yaml");
    mkdirSync(join(folder, "dotfiles"));
    writeFileSync(target, "old");
    symlinkSync(target, file);
    writeConfigText(file, "new", "old");
    expect([lstatSync(file).isSymbolicLink(), readFileSync(target, "utf8"), readdirSync(join(folder, "dotfiles"))]).toEqual([
      true,
      "new",
      ["drover.yaml"],
    ]);
  });
});
