import { expect, test, vi } from "vitest";
import { agentsAtWork, fileTasks, openWaitingScene } from "../support/waiting-scene.ts";

test("without memory for another agent its task waits, health answers quickly and says so, and it starts when there is room", async () => {
  await using scene = await openWaitingScene({ resources: { maxMemoryMB: 100 } });
  const daemon = await scene.home.start();
  const { client } = daemon;
  expect(await client.health()).toMatchObject({ status: "ok", problems: [] });
  await fileTasks(scene, daemon, 2);
  await agentsAtWork(daemon, 1);
  await vi.waitFor(async () => expect((await client.health()).status).toBe("degraded"));

  const took: number[] = [];
  for (let asked = 0; asked < 100; asked++) {
    const askedAt = performance.now();
    const { status, problems } = await client.health();
    took.push(performance.now() - askedAt);
    expect([status, problems]).toEqual([
      "degraded",
      [expect.stringMatching(/^Work waits for room on this machine: agents take \d+ of 100 MB/)],
    ]);
  }
  expect(took.toSorted((a, b) => a - b)[94]).toBeLessThan(1000);
  expect((await client.getTask({ params: { task: "api#2" } })).status).toBe("queued");

  await scene.gate.open();
  expect((await daemon.settledTask("api#1")).status).toBe("succeeded");
  await agentsAtWork(daemon, 2);
  await scene.gate.open();
  expect((await daemon.settledTask("api#2")).status).toBe("succeeded");
  expect((await client.health()).status).toBe("ok");
});
