import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { examples } from "../../src/api/examples.ts";
import { place, servedPlace } from "./running.ts";

const run = examples.getRun.response.id;

test.each([
  [0, ["task", "list"], ""],
  [0, ["--version"], ""],
  [1, ["store", "verify"], "Drover made a mistake"],
  [2, ["nonsense"], "unknown command 'nonsense'"],
  [2, ["task", "list", "--staus", "failed"], "Did you mean --status?"],
  [2, ["task", "list", "--status", "done"], "Allowed choices are draft, queued"],
  [2, ["task", "list", "-n", "0"], "limit: Too small"],
  [2, ["task", "add"], "missing required argument 'title'"],
  [2, ["worker", "stop", "one"], "Use a whole number."],
  [2, ["project", "set-weight", "much"], "Use a number"],
  [2, ["task", "add", "-p", "api", "--deadline", "soon", "x"], "Use a time from now"],
  [2, ["queue", "clear"], "say --yes"],
  [2, ["run", "answer", run], "Say --allow or --deny."],
  [2, ["help", "nonsense"], "unknown command 'nonsense'"],
  [3, ["task", "show", "api#9"], "There is no task api#9."],
  [3, ["project", "status", "nope"], "There is no project nope."],
  [3, ["project", "status"], "This folder is in no registered project."],
  [3, ["logs"], "There is no "],
  [4, ["run", "answer", run, "--allow", "--question", "none"], "waits for no answer"],
  [6, ["project", "poll", "api"], "GitHub did not answer within 10 s."],
] as const)("exit %i: drover %j", async (code, args, says) => {
  await using at = await servedPlace();
  const ran = await at.run(args);
  expect(ran.code).toBe(code);
  expect(ran.err).toContain(says);
  expect(ran.err.split("\n").length).toBeLessThan(5);
});

test("without a daemon each command that needs one exits with 5 and says how to start it", async () => {
  await using at = place();
  const says = "drover: No daemon runs. Start one with: drover daemon start\n";
  expect(await at.run(["status"])).toEqual({ code: 5, out: "", err: says });
  writeFileSync(
    join(at.home, "daemon.pid"),
    JSON.stringify({ pid: 4_000_000, startTime: "1", url: "http://127.0.0.1:9", version: "0.1.0" }),
  );
  writeFileSync(join(at.home, "auth.json"), JSON.stringify({ token: "t" }));
  expect(await at.run(["task", "list"])).toEqual({ code: 5, out: "", err: says });
  expect(await at.run(["stop"])).toEqual({ code: 0, out: "No daemon runs.\n", err: "" });
});

test("a full queue exits with 5 and says when to try again", async () => {
  await using at = await servedPlace();
  for (const title of ["one", "two", "three"]) await at.served.client.createTask({ body: { project: "api", title } });
  const ran = await at.run(["task", "add", "-p", "api", "four"]);
  expect(ran).toEqual({
    code: 5,
    out: "",
    err: "drover: 3 tasks are queued, which is the most (daemon.queueMax). Try again later. Try again in 30 s.\n",
  });
});

test("another token than the daemon's exits with 1 and says what to do", async () => {
  await using at = await servedPlace();
  writeFileSync(join(at.home, "auth.json"), JSON.stringify({ token: "another" }));
  expect(await at.run(["status"])).toEqual({
    code: 1,
    out: "",
    err: "drover: The running daemon has another token than auth.json. Restart it: drover daemon restart\n",
  });
});

test("a failure is told as JSON with --json, and with its stack when DROVER_DEBUG asks", async () => {
  await using at = await servedPlace();
  const told = await at.run(["task", "add", "-p", "api", "--json", " "]);
  expect(told.code).toBe(2);
  expect(JSON.parse(told.err)).toEqual({
    error: { code: "invalid", message: "title: a task needs a title", issues: [{ path: "title", message: "a task needs a title" }] },
  });
  const debugged = await at.run(["task", "show", "x"], { env: { DROVER_DEBUG: "1" } });
  expect(debugged.err).toMatch(/^drover: There is no task x[^]*\n\s+at /);
});

test("wrong usage is told like every other failure, as JSON too", async () => {
  await using at = place();
  const words = ["task", "cancel"];
  expect(await at.run(words)).toEqual({ code: 2, out: "", err: "drover: missing required argument 'task'\n" });
  const told = await at.run([...words, "--json"]);
  expect({ ...told, err: JSON.parse(told.err) as unknown }).toEqual({
    code: 2,
    out: "",
    err: { error: { code: "invalid", message: "missing required argument 'task'" } },
  });
  expect((await at.run(["projct"])).err).toBe("drover: unknown command 'projct'\n(Did you mean project?)\n");
  expect((await at.run(["project"])).err).toMatch(/^Usage: drover project /);
});

test("the documented table is the one that is used", async () => {
  await using at = place();
  const { out, code } = await at.run(["help", "exit-codes"]);
  expect(code).toBe(0);
  expect(out.match(/^ +\d+/gm)?.map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 130]);
});

test("colours are for a terminal that wants them", async () => {
  await using at = await servedPlace();
  expect((await at.run(["status"], { hasColor: true })).out).toContain("\u001b[32mok\u001b[39m");
  expect((await at.run(["status"])).out).not.toContain("\u001b");
});

test("every command has help with what it does, and none is longer than a screen is wide", async () => {
  await using at = place();
  const { out } = await at.run(["help"]);
  const groups = [...out.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name = ""]) => name);
  expect(groups.length).toBeGreaterThan(20);
  const pages = await Promise.all(groups.map(async (name) => ({ name, ...(await at.run(["help", name])) })));
  for (const { name, code, out: page, err } of pages) {
    expect([name, code, err]).toEqual([name, 0, ""]);
    expect(page).toMatch(new RegExp(`^Usage: drover ${name}`));
    expect(Math.max(...page.split("\n").map((line) => line.length))).toBeLessThan(131);
  }
});
