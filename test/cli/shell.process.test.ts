import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program, servedPlace } from "./running.ts";

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
      draft: false,
    },
  });
});
