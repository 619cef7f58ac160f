import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../support/needs.ts";
import type { Screen } from "../support/screen.ts";
import { TuiScene } from "../support/tui-scene.ts";

const HOSTILE = "Hello \u001b[31mred\u001b[0m\u0007 <script>alert(1)</script> \u202eevil 日本語";

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

  afterAll(async () => {
    screen.press("Escape", "Escape", "q");
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
    screen.press("4");
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
    const key = await scene.file(HOSTILE);
    screen.press("4");
    screen.press("/");
    screen.type("evil");
    await screen.sees(`${key} `, "Hello red <script>");
    expect(screen.painted).not.toContain("\u001b[31mred");
    expect(screen.painted).not.toContain("\u202e");
    screen.press("Escape");
  });

  test("one of 1,000 is found, and what is listed is exported as it is filtered", async () => {
    screen.press("4", "/");
    screen.type("heliotropes");
    await screen.sees(/1 of 10\d\d/u, "docs#500", "Chapter 500 on heliotropes");
    screen.press("Enter", "e", "C-u");
    screen.type("found.csv");
    screen.press("Enter");
    await screen.sees("Wrote 1 record to");
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
    await screen.sees("is there already: name another file.");
    screen.press("f", "Escape");
  });

  test("a task is moved in the queue and cancelled from its row", async () => {
    screen.press("4", "/");
    screen.type("Chapter 7");
    await screen.sees("docs#7 ");
    screen.press("Enter", "End", "+");
    await screen.sees("docs#7 has priority 60.");
    screen.press("s");
    await screen.sees("Cancel docs#7? Its work is saved.");
    screen.press("y");
    await screen.sees("docs#7 is cancelled.", /docs#7 +cancelled/u);
    expect(await scene.daemon.client.getTask({ params: { task: "docs#7" } })).toMatchObject({ status: "cancelled", priority: 60 });
    screen.press("Escape");
  });

  test("the chat asks the configured model, and starts a plan that is approved in its place", async () => {
    screen.press("2");
    screen.type("How do I sell tea?");
    screen.press("Enter");
    await screen.sees("How do I sell tea?", "model", "Type: /plan A shop that sells tea");
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
    await screen.sees(/api#\d+ +blocked \(approval\).*A shop that sells tea/u, "A shop in three specs");
    screen.press("a");
    await screen.sees(/api#\d+ is approved\./u, /api#\d+ +succeeded/u);
    screen.press("p", "p");
    await screen.sees("all projects");
  });

  test("an agent's window is gone into and left again", async () => {
    screen.press("4");
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
    screen.press("Escape");
  });

  test("follows the size of its window", async () => {
    screen.press("4");
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
    await screen.sees("› ", "succeeded");
    screen.press("T");
  });

  test("goes on after the daemon has been restarted", async () => {
    await scene.daemon.stop();
    await screen.sees("not connected");
    await scene.restart();
    await screen.sees("live");
    const key = await scene.file("Say hello again");
    await screen.sees(new RegExp(`${key} .*succeeded`, "u"));
    expect(screen.text).not.toContain("not connected");
  });
});

test.skipIf(!needs("tmux").ok)("NO_COLOR takes the colours from the whole screen", async () => {
  await using scene = await TuiScene.make({ drafts: 1 });
  using screen = scene.open({ env: { NO_COLOR: "1" } });
  await screen.sees("live", "Nothing needs you.");
  expect(screen.painted).not.toContain("\u001b[");
  screen.press("q");
  await screen.isLeft();
});
