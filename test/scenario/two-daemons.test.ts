import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DaemonRefusal, TestHome, type TestDaemon } from "../support/daemon.ts";

const TIMES = 20;

test(`of two daemons started at once in one home, one lives and the other names it: ${TIMES} times`, { timeout: 240_000 }, async () => {
  await using home = await TestHome.make();
  for (let time = 0; time < TIMES; time++) {
    const [alive, refused] = await startTwo(home);
    // It may not know yet at which address that answers.
    expect(refused.exitCode).toBe(1);
    expect([refusalNaming(home, `pid ${alive.pid}`), refusalNaming(home, `pid ${alive.pid}, ${alive.url}`)]).toContain(refused.said);
    expect(await alive.client.getDaemon()).toMatchObject({ pid: alive.pid, status: "ok" });
    await alive.kill();
  }
});

test("a daemon's home is free again the moment it is killed", async () => {
  await using home = await TestHome.make();
  const killed = await home.start();
  await expect(home.start()).rejects.toMatchObject({ exitCode: 1, said: refusalNaming(home, `pid ${killed.pid}, ${killed.url}`) });
  await killed.kill();
  const next = await home.start();
  expect((await next.client.getDaemon()).pid).toBe(next.pid);
  expect(pidFile(home)).toMatchObject({ pid: next.pid, url: next.url });
});

test("the file of a dead daemon, whose pid another program has by now, is not obeyed", async () => {
  await using home = await TestHome.make();
  await (await home.start()).kill();
  const bystander = spawn("sleep", ["1000"]);
  const gone = once(bystander, "exit");
  try {
    writeFileSync(join(home.home, "daemon.pid"), JSON.stringify({ ...pidFile(home), pid: bystander.pid }));
    const next = await home.start();
    expect(pidFile(home)).toMatchObject({ pid: next.pid });
    expect(await next.stop("kill")).toBe(0);
    expect([bystander.exitCode, bystander.signalCode]).toEqual([null, null]);
  } finally {
    bystander.kill();
    await gone;
  }
});

async function startTwo(home: TestHome): Promise<[TestDaemon, DaemonRefusal]> {
  const starts = await Promise.allSettled([home.start(), home.start()]);
  const alive = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const refused = starts.flatMap((start) => (start.status === "rejected" ? [start.reason as unknown] : []));
  if (alive[0] === undefined || alive.length !== 1 || !(refused[0] instanceof DaemonRefusal))
    throw new Error(`${alive.length} live: ${String(refused)}`);
  return [alive[0], refused[0]];
}

function refusalNaming({ home }: TestHome, holder: string): string {
  return `drover: Another daemon runs in ${home} (${holder}). Stop it with: drover daemon stop\n`;
}

function pidFile({ home }: TestHome): Record<string, unknown> {
  return JSON.parse(readFileSync(join(home, "daemon.pid"), "utf8")) as Record<string, unknown>;
}
