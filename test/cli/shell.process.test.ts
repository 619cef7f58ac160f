import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program, servedPlace, type Served } from "./running.ts";

test("what a command ends with is the exit status of its process, and a reader that has enough is no failure", async () => {
  await using at = await servedPlace();
  expect(await at.spawn(["task", "show", "api#9"])).toEqual({
    code: 3,
    out: "",
    err: "drover: There is no task api#9. `drover task list` shows them.\n",
  });
  expect(await at.spawn(["--version"])).toEqual({ code: 0, out: "0.1.0\n", err: "" });
  const child = spawn(process.execPath, [program, "config", "schema"], { env: { ...process.env, DROVER_HOME: at.home } });
  child.stdout.destroy();
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("without a terminal there are no colours, whatever the environment says", async () => {
  await using at = await servedPlace();
  expect((await at.spawn(["status"], { env: { FORCE_COLOR: "1" } })).out).not.toContain("\u001b");
});

test("add files a task in the project of the current folder, as the command line", async () => {
  await using at = await servedPlace();
  at.served.memory.projectPath = at.folder;
  const folder = join(at.folder, "src");
  mkdirSync(folder);
  const words = [
    "task",
    "add",
    "Fix",
    "the",
    "importer",
    "--body-file",
    "-",
    "--priority",
    "70",
    "--after",
    "api#3",
    "--after",
    "api#4",
    "--plan",
  ];
  expect(await at.spawn(words, { input: "In full.", folder })).toEqual({
    code: 0,
    out: "Filed api#1: queued.\n",
    err: "Watch it with: drover task logs -f api#1\n",
  });
  expect(at.served.memory.asked.at(-1)).toEqual({
    name: "createTask",
    actor: "cli",
    params: {},
    body: {
      project: "api",
      title: "Fix the importer",
      body: "In full.",
      mode: "plan",
      priority: 70,
      dependsOn: ["api#3", "api#4"],
      needs: [],
      parameters: {},
      draft: false,
    },
  });
});

test.each([
  ["y", 0, "cancelled"],
  ["n", 130, "queued"],
  ["\u0003", 130, "queued"],
])("at a terminal queue clear asks: the key %j ends it with %i and the tasks are %s", async (key, code, status) => {
  await using at = await servedPlace();
  for (const title of ["One", "Two"]) await at.served.client.createTask({ body: { project: "api", title } });
  const ran = await atTerminal(at, ["queue", "clear"], key);
  expect([ran.code, at.served.memory.tasks.map((task) => task.status)]).toEqual([code, [status, status]]);
});

test("a terminal gets colours and no more of what others wrote than its letters", async () => {
  await using at = await servedPlace();
  const title = "a\u001b]0;title\u0007b\u001b[2J\u001b]52;c;aGk=\u0007c\u009b2Jd\u202ee";
  await at.served.client.createTask({ body: { project: "api", title } });
  const { code, screen } = await atTerminal(at, ["task", "list"]);
  expect(code).toBe(0);
  expect(screen).toContain("\u001b[1mapi#1\u001b[22m");
  // oxlint-disable-next-line no-control-regex -- Colours are what is taken out here; anything else of the kind must not be there.
  expect(screen.replace(/\u001b\[\d{1,2}m/g, "")).toMatch(/^[^\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202e]*$/u);
});

/** A command at a terminal of its own, by script(1) of util-linux: what it prints. The key is pressed when it asks. */
async function atTerminal(at: Served, words: readonly string[], key?: string): Promise<{ code: number; screen: string }> {
  const command = `stty cols 100 rows 30; exec ${[process.execPath, program, ...words].map((word) => `'${word}'`).join(" ")}`;
  const env = { ...process.env, TERM: "xterm-256color", DROVER_HOME: at.home };
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], { env });
  let screen = "";
  let isAsked = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    if (key === undefined || isAsked || !screen.includes("tasks?")) return;
    isAsked = true;
    child.stdin.write(key);
  });
  const [code] = (await once(child, "exit")) as [number];
  return { code, screen };
}
