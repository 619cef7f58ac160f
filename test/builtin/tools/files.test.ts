import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../support/manual-clock.ts";
import { openToolFixture, type ToolFixture } from "../../support/tool-fixture.ts";

let fixture: ToolFixture;
beforeEach(async () => {
  fixture = await openToolFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const at = (path: string) => join(fixture.workspace, path);
const put = async (path: string, content: string | Buffer) => {
  await mkdir(join(at(path), ".."), { recursive: true });
  await writeFile(at(path), content);
};

test("every use is audited with what came of it", async () => {
  await put("file", "one\n");
  await fixture.use("read", { path: "file" });
  await fixture.use("read", { path: "missing" });
  await fixture.use("read", { path: "../file" });
  expect(fixture.audited).toEqual([
    { tool: "read", subject: "file", outcome: "done", message: null },
    { tool: "read", subject: "missing", outcome: "failed", message: "There is no missing in the workspace." },
    { tool: "read", subject: "../file", outcome: "refused", message: "The path ../file leads out of the workspace." },
  ]);
});

test("what is used at once is done one after another, so that no edit undoes another", async () => {
  const words = Array.from({ length: 20 }, (_, at) => `word${at}.`);
  await put("file", words.join("\n"));
  await Promise.all(words.map((word) => fixture.use("edit", { path: "file", old: word, new: word.toUpperCase() })));
  expect(await readFile(at("file"), "utf8")).toBe(words.join("\n").toUpperCase());
});

test("a use whose signal is aborted does nothing, and the reason is what is thrown", async () => {
  const reason = new Error("no more");
  await expect(fixture.use("write", { path: "file", content: "" }, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await readdir(fixture.workspace)).toEqual([]);
});

describe("read", () => {
  test("gives a text as it is", async () => {
    await put("deep/er/file", "\ufeffone\r\n\ttwo é漢🐑\n\nfour");
    expect(await fixture.use("read", { path: "./deep//er/file" })).toBe("\ufeffone\r\n\ttwo é漢🐑\n\nfour");
    await put("empty", "");
    expect(await fixture.use("read", { path: "empty" })).toBe("[The file is empty.]");
  });

  test("gives a part of a long one, and says where it goes on", async () => {
    await put("long", Array.from({ length: 5000 }, (_, at) => `line ${at + 1}\n`).join(""));
    const whole = (await fixture.use("read", { path: "long" })).split("\n");
    expect([whole.length, whole[0], whole.at(-1)]).toEqual([2001, "line 1", "[Lines 1 to 2000 of 5000. Go on with offset 2001.]"]);
    expect(await fixture.use("read", { path: "long", offset: 4999, limit: 5 })).toBe("line 4999\nline 5000\n[Lines 4999 to 5000 of 5000.]");
    expect(await fixture.use("read", { path: "long", offset: 5001 })).toBe("long has only 5000 lines.");
  });

  test("cuts long lines, and gives no more than a model can take", async () => {
    await put("wide", `${"x".repeat(5000)}\n`.repeat(100));
    const lines = (await fixture.use("read", { path: "wide" })).split("\n");
    expect(lines[0]).toBe(`${"x".repeat(2000)} [3000 characters more in this line]`);
    expect(lines.at(-1)).toBe("[Lines 1 to 29 of 100. Go on with offset 30.]");
  });

  test("says what is no text, no file or too large", async () => {
    await put("binary", Buffer.from([1, 0, 2]));
    await put("latin", Buffer.from([0x66, 0xfc, 0x72]));
    await put("folder/file", "");
    await put("large", Buffer.alloc(8 * 1024 * 1024 + 1, "x"));
    expect(await fixture.use("read", { path: "binary" })).toBe("binary is a binary file of 3 bytes, not UTF-8 text.");
    expect(await fixture.use("read", { path: "latin" })).toBe("latin is a binary file of 3 bytes, not UTF-8 text.");
    expect(await fixture.use("read", { path: "folder" })).toBe("folder is a folder, not a file.");
    expect(await fixture.use("read", { path: "folder/file/more" })).toBe("folder/file is no folder.");
    expect(await fixture.use("read", { path: "." })).toBe("The path names the workspace itself, not a file in it.");
    expect(await fixture.use("read", { path: "large" })).toBe("large has 8388609 bytes, and no more than 8388608 are read at once.");
  });
});

describe("write", () => {
  test("makes a file and the folders on its way, and leaves nothing beside it", async () => {
    expect(await fixture.use("write", { path: "a/b/file.txt", content: "häl$&lo\r\n" })).toBe("Wrote 10 bytes to a/b/file.txt.");
    expect(await readdir(fixture.workspace, { recursive: true })).toEqual(["a", "a/b", "a/b/file.txt"]);
    expect(await readFile(at("a/b/file.txt"), "utf8")).toBe("häl$&lo\r\n");
  });

  test("replaces a file at once, and keeps its mode", async () => {
    await put("script.sh", "old");
    await chmod(at("script.sh"), 0o750);
    const before = await stat(at("script.sh"));
    await fixture.use("write", { path: "script.sh", content: "new" });
    const after = await stat(at("script.sh"));
    expect([after.mode, after.ino === before.ino]).toEqual([before.mode, false]);
    expect(await readFile(at("script.sh"), "utf8")).toBe("new");
  });

  test("does not take the place of a folder", async () => {
    await put("folder/file", "kept");
    expect(await fixture.use("write", { path: "folder", content: "" })).toBe("folder is a folder, not a file.");
    expect(await fixture.use("write", { path: "folder/file/more", content: "" })).toBe("folder/file is no folder.");
    expect(await readdir(fixture.workspace, { recursive: true })).toEqual(["folder", "folder/file"]);
  });
});

describe("edit", () => {
  test("replaces what is there once, taking both texts as they are", async () => {
    await put("file", "price: $1 (.*)\nend");
    expect(await fixture.use("edit", { path: "file", old: "$1 (.*)", new: "$& $1 $$" })).toBe("Replaced it in file.");
    expect(await readFile(at("file"), "utf8")).toBe("price: $& $1 $$\nend");
  });

  test("what is there more often is not guessed at, but for all", async () => {
    await put("file", "a\nsame\nb\nsame\nsame\n");
    expect(await fixture.use("edit", { path: "file", old: "same", new: "other" })).toBe(
      "The old text is 3 times in file, from lines 2, 4, 5 on. Take more of what is around it, or set all to replace every one.",
    );
    expect(await fixture.use("edit", { path: "file", old: "same", new: "other", all: true })).toBe("Replaced it 3 times in file.");
    expect(await readFile(at("file"), "utf8")).toBe("a\nother\nb\nother\nother\n");
  });

  test("what would become too large is not written", async () => {
    await put("file", "a".repeat(100_000));
    const said = await fixture.use("edit", { path: "file", old: "a", new: "b".repeat(100_000), all: true });
    expect(said).toBe("file would be larger than 8388608 bytes.");
    expect(await fixture.use("write", { path: "file", content: "b".repeat(8_388_609) })).toBe(said);
    expect(await readFile(at("file"), "utf8")).toBe("a".repeat(100_000));
  });

  test("what is missing is answered with what is most like it", async () => {
    await put("file", "import a;\n\nfunction sum(a, b) {\n  return a + b;\n}\n");
    expect(await fixture.use("edit", { path: "file", old: "function sum(a,b) {\n    return", new: "" })).toBe(
      "The old text is not in file. What is most like it:\n1: import a;\n2: \n3: function sum(a, b) {\n4:   return a + b;\n5: }",
    );
    expect(await fixture.use("edit", { path: "file", old: "zzz qqq", new: "" })).toBe("The old text is not in file. Read the file again.");
    await put("windows", "one\r\ntwo\r\n");
    expect(await fixture.use("edit", { path: "windows", old: "one\ntwo", new: "" })).toContain("The lines of this file end with CR LF.");
    expect(await readFile(at("windows"), "utf8")).toBe("one\r\ntwo\r\n");
  });
});

describe("list", () => {
  test("gives paths, folders with a slash, as deep as is asked", async () => {
    for (const path of ["b/c/d/file", "b/file", "a", ".hidden"]) await put(path, "");
    expect(await fixture.use("list", {})).toBe([".hidden", "a", "b/", "b/c/", "b/file"].join("\n"));
    expect(await fixture.use("list", { path: "b", depth: 1 })).toBe(["c/", "file"].join("\n"));
    expect(await fixture.use("list", { path: "b/c/d", depth: 3 })).toBe("file");
    expect(await fixture.use("list", { path: "a" })).toBe("a is no folder.");
    await mkdir(at("empty"));
    expect(await fixture.use("list", { path: "empty" })).toBe("[The folder is empty.]");
  });

  test("gives a part of what is many, and what a name has of control characters is not shown", async () => {
    await put("\u001b[31mred\nname", "");
    const names = Array.from({ length: 6 }, (_, folder) => Array.from({ length: 250 }, (_, file) => `many${folder}/f${file}`)).flat();
    for (const name of names) await put(name, "");
    const lines = (await fixture.use("list", {})).split("\n");
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([1001, "red name", "[And more. List a folder of these.]"]);
    expect(lines.filter((line) => line.startsWith("many0/"))).toHaveLength(201);
    expect(lines).toContain("[More in many0/.]");
  });
});

describe("search", () => {
  test("gives the lines that match, with path and number", async () => {
    await put("src/a.ts", "const one = 1;\nconst two = 2;\n");
    await put("src/deep/b.ts", "\tCONST three = \u001b[31m3;\r\n");
    await put("notes.md", "const in prose\n");
    await put("node_modules/p/index.ts", "const hidden = 0;\n");
    await put("binary", Buffer.concat([Buffer.from([0]), Buffer.from("const")]));
    expect(await fixture.use("search", { pattern: "^\\s*const (?<name>\\w+) =" })).toBe(
      "src/a.ts:1: const one = 1;\nsrc/a.ts:2: const two = 2;",
    );
    expect(await fixture.use("search", { pattern: "const t", ignoreCase: true, glob: "*.ts" })).toBe(
      "src/a.ts:2: const two = 2;\nsrc/deep/b.ts:1: \tCONST three = 3;",
    );
    expect(await fixture.use("search", { pattern: "const", ignoreCase: true, path: "src", glob: "deep/**" })).toBe(
      "deep/b.ts:1: \tCONST three = 3;",
    );
    expect(await fixture.use("search", { pattern: "hidden", path: "node_modules" })).toBe("p/index.ts:1: const hidden = 0;");
    expect(await fixture.use("search", { pattern: "nowhere" })).toBe("[Nothing found.]");
    expect(await fixture.use("search", { pattern: "(" })).toMatch(/^Invalid regular expression/u);
  });

  test("gives no more lines than are of use", async () => {
    await put("many", "hit\n".repeat(10_000));
    const lines = (await fixture.use("search", { pattern: "hit" })).split("\n");
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([
      201,
      "many:1: hit",
      "[There are more; make the pattern or the glob narrower.]",
    ]);
  });

  test("a pattern that never ends is ended when its time is up, and this process goes on meanwhile", async () => {
    const clock = new ManualClock();
    await using fixture = await openToolFixture(clock);
    await writeFile(join(fixture.workspace, "found"), "aaa\n");
    await writeFile(join(fixture.workspace, "trap"), `${"a".repeat(60)}!\n`);
    const searching = fixture.use("search", { pattern: "(a+)+$" });
    const { user } = process.cpuUsage();
    // That only the pattern takes so much of the processor is how it is seen that the thread is in it.
    await expect.poll(() => process.cpuUsage().user - user, { timeout: 50_000 }).toBeGreaterThan(3_000_000);
    clock.advance(20_000);
    expect(await searching).toBe("found:1: aaa\n[The search was ended after 20 s. Search a smaller folder, or by a simpler pattern.]");
  });

  test("one whose signal is aborted ends at once", async () => {
    await put("trap", `${"a".repeat(60)}!\n`);
    const abort = new AbortController();
    const searching = fixture.use("search", { pattern: "(a+)+$" }, {}, abort.signal);
    await stat(at("trap"));
    abort.abort(new Error("enough"));
    await expect(searching).rejects.toThrow("enough");
  });
});
