import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { place, program, type Place } from "./running.ts";

const anyPort = { DROVER_DAEMON_PORT: "0" };

/** A home whose daemon, whichever it is by then, ends with the test. */
function daemonPlace(): Place {
  const at = place();
  return {
    ...at,
    [Symbol.asyncDispose]: async () => {
      await at.spawn(["stop", "--kill"]);
      await at[Symbol.asyncDispose]();
    },
  };
}

function pidOf(at: Place): number {
  return (JSON.parse(readFileSync(join(at.home, "daemon.pid"), "utf8")) as { pid: number }).pid;
}

test("start returns when the daemon answers, and stop when it is gone", async () => {
  await using at = daemonPlace();
  const started = await at.spawn(["start", "--json"], { env: anyPort });
  expect([started.code, started.err]).toEqual([0, ""]);
  const { pid, url, status } = JSON.parse(started.out) as { pid: number; url: string; status: string };
  expect([pid, status]).toEqual([pidOf(at), "ok"]);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await at.spawn(["status"])).out).toContain(`ok  ${url}  pid ${pid}\n`);
  expect(await at.spawn(["daemon", "stop"])).toEqual({ code: 0, out: `The daemon has stopped (pid ${pid}).\n`, err: "" });
  await expect(fetch(`${url}/health`)).rejects.toThrow("fetch failed");
  expect(await at.spawn(["status"])).toMatchObject({ code: 5 });
});

test("a second start names the daemon that runs; restart takes its place", async () => {
  await using at = daemonPlace();
  await at.spawn(["start"], { env: anyPort });
  const first = pidOf(at);
  const second = await at.spawn(["start"], { env: anyPort });
  expect(second.code).toBe(4);
  expect(second.err).toMatch(
    new RegExp(
      `^drover: A daemon already runs in ${at.home} \\(pid ${first}, http://127.0.0.1:\\d+\\)\\. Stop it with: drover daemon stop\n$`,
    ),
  );
  const restarted = await at.spawn(["restart"], { env: anyPort });
  expect([restarted.code, restarted.err]).toEqual([0, `The daemon has stopped (pid ${first}).\n`]);
  expect(pidOf(at)).not.toBe(first);
});

test("two starts at once make one daemon, and the other says so in the daemon's own words", async () => {
  await using at = daemonPlace();
  const both = await Promise.all([at.spawn(["start"], { env: anyPort }), at.spawn(["start"], { env: anyPort })]);
  expect(both.filter(({ code }) => code === 0)).toHaveLength(1);
  expect(both.find(({ code }) => code !== 0)?.err).toMatch(/^drover: (A|Another) daemon (already )?runs in /);
});

test("a busy port is told with its holder", async () => {
  await using at = daemonPlace();
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const ran = await at.spawn(["start"], { env: { DROVER_DAEMON_PORT: String(port) } });
  holder.close();
  expect(ran).toEqual({
    code: 5,
    out: "",
    err: `drover: Port ${port} is held by process ${process.pid} (node). End it, or set daemon.port to another one.\n`,
  });
});

test("a configuration that is not valid is told with its line, and no daemon runs", async () => {
  await using at = daemonPlace();
  writeFileSync(join(at.home, "config.yaml"), "daemon:\n  port: banana\n");
  const ran = await at.spawn(["start"]);
  expect(ran.code).toBe(2);
  expect(ran.err).toContain(`${join(at.home, "config.yaml")}:2:9: `);
});

test("a daemon that does not answer is stopped by a signal, and a pid that is another program's is left alone", async () => {
  await using at = daemonPlace();
  await at.spawn(["start"], { env: anyPort });
  const file = join(at.home, "daemon.pid");
  const said = JSON.parse(readFileSync(file, "utf8")) as { pid: number; url: string };
  writeFileSync(file, JSON.stringify({ ...said, url: "http://127.0.0.1:9" }));
  const stopped = await at.spawn(["stop"]);
  expect([stopped.code, stopped.out]).toEqual([0, `The daemon has stopped (pid ${said.pid}).\n`]);
  expect(stopped.err).toContain("it is asked by a signal");

  const bystander = spawn("sleep", ["60"]);
  writeFileSync(file, JSON.stringify({ pid: bystander.pid, startTime: "1", url: "http://127.0.0.1:9", version: "0.1.0" }));
  expect(await at.spawn(["stop", "--kill"])).toEqual({ code: 0, out: "No daemon runs.\n", err: "" });
  expect(bystander.exitCode).toBe(null);
  bystander.kill();
  await once(bystander, "exit");
});

test("in the foreground the daemon ends with the command", async () => {
  await using at = daemonPlace();
  const child = spawn(process.execPath, [program, "start", "--foreground"], { env: { ...process.env, ...anyPort, DROVER_HOME: at.home } });
  await once(child.stdout, "data");
  expect(await at.spawn(["status"])).toMatchObject({ code: 0 });
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(await at.spawn(["status"])).toMatchObject({ code: 5 });
});

test("the database is checked and copied with a daemon and without", async () => {
  await using at = daemonPlace();
  await at.spawn(["start"], { env: anyPort });
  expect((await at.spawn(["store", "verify"])).out).toMatch(/^The database is sound: 0 tasks, \d+ events?\.\n$/);
  const { path } = JSON.parse((await at.spawn(["store", "backup", "--json"])).out) as { path: string };
  await at.spawn(["stop"]);
  expect((await at.spawn(["store", "verify"])).out).toMatch(/^The database is sound: 0 tasks, \d+ events?\.\n$/);
  const second = JSON.parse((await at.spawn(["store", "backup", "--json"])).out) as { path: string };
  expect([path, second.path].every((one) => one.startsWith(join(at.home, "backups")))).toBe(true);
});
