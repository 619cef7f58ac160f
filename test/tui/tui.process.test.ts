import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { needs } from "../support/needs.ts";
import type { Screen } from "../support/screen.ts";
import { TuiScene } from "../support/tui-scene.ts";

const HOSTILE = "Hello \u001b[31mred\u001b[0m\u0007 <script>alert(1)</script> \u202eevil 日本語";

/** The second line of a view that neither search nor filter narrows. */
const EVERYTHING = /^all projects {2}(?:all|events) {2}\d+ {2}/mu;

describe.skipIf(!needs("tmux").ok)("the screen", () => {
  let scene: TuiScene;
  let screen: Screen;

  beforeAll(async () => {
    scene = await TuiScene.make();
    screen = scene.open();
    await screen.sees("live");
    screen.press("4");
    await screen.sees(/ 1000 /u);
  });

  beforeEach(async () => {
    screen.press("4");
    await screen.sees(EVERYTHING);
  });

  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    // What it was in the middle of is nothing for the next one.
    screen[Symbol.dispose]();
    await scene.endWork();
    screen = scene.open();
    await screen.sees("live");
  });

  afterAll(async () => {
    screen.press("q");
    await screen.isLeft();
    screen[Symbol.dispose]();
    await scene[Symbol.asyncDispose]();
  });

  test("has every view in 80 columns and 24 rows, and a help of its keys", async () => {
    for (const [key, ...texts] of [
      ["1", "[1 Attention]", "Nothing needs you."],
      ["2", "[2 Chat]", "/plan TEXT"],
      ["Tab", "[3 Plan]", "There is no plan yet"],
      ["4", "[4 Executions]", "docs#1000", "STATUS"],
      ["5", "[5 Records]", "task.created"],
    ] as const) {
      screen.press(key);
      await screen.sees(...texts);
      expect(screen.text.trimEnd().split("\n")).toHaveLength(24);
    }
    screen.press("?");
    await screen.sees("Keys in Records", "write what is listed to a file");
    screen.press("Escape");
    await screen.sees("[5 Records]");
  });

  test("a row changes after its task has moved, with no key pressed, and its output is followed", async () => {
    const key = await scene.file("WAIT for the tide");
    await screen.sees(new RegExp(`${key} .*working .*shows .*WAIT for the tide`, "u"));
    screen.press("Enter");
    await screen.sees("Here is what I do.", "A red line. And a bell:", "live");
    await scene.gate.open();
    await screen.sees("it has ended");
    screen.press("Escape");
    await screen.sees(new RegExp(`${key} .*succeeded .*\\$0\\.05`, "u"));
  });

  test("what an agent asks is answered in place", async () => {
    screen.press("1");
    const key = await scene.file("ASK whether the old build may go");
    await screen.sees("(1)", new RegExp(`permission +${key} `, "u"), '{"command":"rm -r build"}');
    screen.press("d");
    screen.type("Keep it.");
    screen.press("Enter");
    await screen.sees(`${key}: denied.`, "Nothing needs you.");
    const task = await scene.daemon.taskWith(key, "succeeded");
    const events = await scene.daemon.client.listEvents({ query: { task: task.id, limit: 500 } });
    expect(events.items.filter(({ type }) => type === "run.message").map(({ data }) => data)).toContainEqual({
      text: "I was told: type:answer,id:q1,allow:false,message:Keep it.",
    });
  });

  test("texts from outside have no power over the terminal", async () => {
    const key = await scene.file(HOSTILE, { draft: true });
    screen.press("/");
    screen.type("evil");
    await screen.sees(`${key} `, "Hello red <script>");
    expect(screen.painted).not.toContain("\u001b[31mred");
    expect(screen.painted).not.toContain("\u202e");
    await forgetSearch();
  });

  test("one of 1,000 is found, and what is listed is exported as it is filtered", async () => {
    screen.press("/");
    screen.type("heliotropes");
    await screen.sees(/1 of 10\d\d/u, "docs#500", "Chapter 500 on heliotropes");
    screen.press("Enter", "e", "C-u");
    screen.type("found.csv");
    screen.press("Enter");
    await screen.sees("Wrote 1 record to");
    await forgetSearch();
    const [names = "", ...rows] = readFileSync(join(scene.home.folder, "found.csv"), "utf8").trimEnd().split("\r\n");
    expect(rows).toHaveLength(1);
    expect(names.split(",").slice(0, 5)).toEqual(["id", "projectId", "project", "number", "key"]);
    expect(rows[0]).toContain("docs,500,docs#500,Chapter 500 on heliotropes");

    screen.press("5", "/");
    screen.type("heliotropes");
    await screen.sees("1 of ");
    screen.press("Enter", "f");
    await screen.sees("audit log", "task.create");
    screen.press("e", "C-u");
    screen.type("found.jsonl");
    screen.press("Enter");
    await screen.sees("found.jsonl");
    const lines = readFileSync(join(scene.home.folder, "found.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { action: "task.create", subject: "docs", detail: { title: "Chapter 500 on heliotropes" } },
    ]);
    screen.press("e", "C-u");
    screen.type("found.jsonl");
    screen.press("Enter");
    await screen.sees("found.jsonl is there already: name another file.");
    screen.press("f");
    await screen.sees("1 of ", "events");
    await forgetSearch();
  });

  test("a task is moved in the queue and cancelled from its row", async () => {
    screen.press("/");
    screen.type("chapter 777");
    await screen.sees("1 of ", "docs#777 ");
    screen.press("Enter", "+");
    await screen.sees("docs#777 has priority 60.");
    screen.press("s");
    await screen.sees("Cancel docs#777? Its work is saved.");
    screen.press("y");
    await screen.sees("docs#777 is cancelled.", /docs#777 +cancelled/u);
    expect(await scene.daemon.client.getTask({ params: { task: "docs#777" } })).toMatchObject({ status: "cancelled", priority: 60 });
    await forgetSearch();
  });

  test("the chat asks the configured model, and starts a plan that is approved in its place", async () => {
    screen.press("2");
    screen.type("How do I sell tea?");
    screen.press("Enter");
    await screen.sees("How do I sell tea?", /model +Scripted title/u);
    screen.type("/plan A shop that sells tea");
    screen.press("Enter");
    await screen.sees("For which project?");
    screen.type("/project api");
    screen.press("Enter");
    await screen.sees("Looking at api.");
    screen.type("/plan A shop that sells tea");
    screen.press("Enter");
    await screen.sees(/Filed the plan api#\d+\./u);
    screen.press("Tab");
    await screen.sees(/api#\d+ +blocked \(approval\).*A shop that/u, "A shop in three specs");
    screen.press("a");
    await screen.sees(/api#\d+ is approved\./u, /api#\d+ +succeeded/u);
    screen.press("p", "p");
    await screen.sees("all projects");
  });

  test("an agent's window is gone into and left again", async () => {
    const key = await scene.file("WAIT in a window", { project: "docs" });
    await screen.sees(new RegExp(`${key} .*working`, "u"));
    screen.press("/");
    screen.type("window");
    await screen.sees(/1 of/u);
    screen.press("Enter", "w");
    await screen.sees("A red line.");
    await screen.seesNoMore("[4 Executions]");
    screen.press("C-b", "d");
    await screen.sees("[4 Executions]", `Back from the window of ${key}.`);
    await scene.gate.open();
    await screen.sees(new RegExp(`${key} .*succeeded`, "u"));
    await forgetSearch();
  });

  test("follows the size of its window", async () => {
    screen.resize(130, 40);
    await screen.sees("STAGE", /docs#9\d\d/u);
    expect(screen.text.trimEnd().split("\n")).toHaveLength(40);
    screen.resize(30, 8);
    await screen.sees("This window is too small");
    screen.resize(80, 24);
    await screen.sees("[4 Executions]");
    await screen.seesNoMore("STAGE");
  });

  test("says what a status is in words where there are no colours, and has themes where there are", async () => {
    expect(screen.painted).toContain("\u001b[");
    screen.press("T", "T", "T");
    await expect.poll(() => screen.painted.includes("\u001b[")).toBe(false);
    await screen.sees("› ", "draft");
    screen.press("T");
  });

  test("NO_COLOR takes the colours from the whole screen", async () => {
    using plain = scene.open({ env: { NO_COLOR: "1" } });
    await plain.sees("live", "[1 Attention");
    expect(plain.painted).not.toContain("\u001b[");
    plain.press("q");
    await plain.isLeft();
  });

  test("goes on after the daemon has been restarted", async () => {
    await scene.daemon.stop();
    await screen.sees("not connected");
    await scene.restart();
    await screen.sees("live");
    const key = await scene.file("Say hello again", { draft: true });
    await screen.sees(new RegExp(`${key} .*draft .*Say hello again`, "u"));
    expect(screen.text).not.toContain("not connected");
  });

  async function forgetSearch(): Promise<void> {
    screen.press("Escape");
    await screen.sees(EVERYTHING);
  }
});
