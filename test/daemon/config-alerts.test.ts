import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TestHome } from "../support/daemon.ts";
import { makeRepository } from "../support/repository.ts";

test("each wrong file has an alert of its own, until it is right again or was put right while no daemon ran", async () => {
  await using home = await TestHome.make();
  const homeFile = join(home.home, "config.yaml");
  const [api, web] = ["api", "web"].map((name) => {
    const { path } = makeRepository(join(home.folder, name));
    mkdirSync(join(path, ".drover"), { recursive: true });
    return { path, file: join(path, ".drover", "config.yaml") };
  }) as [{ path: string; file: string }, { path: string; file: string }];
  const daemon = await home.start();
  for (const { path } of [api, web]) await daemon.client.registerProject({ body: { path } });

  const wrong = [api.file, web.file, homeFile];
  for (const file of wrong) {
    writeFileSync(file, "defaults: [1\n");
    await daemon.until((event) => event.type === "config.rejected" && event.data.message.includes(file));
  }
  writeFileSync(api.file, "version: 1\n");
  await daemon.until((event) => event.type === "alert.resolved");
  expect(await openAlerts(daemon)).toEqual(["configuration", "web"]);
  await daemon.stop();

  writeFileSync(homeFile, "version: 1\ndaemon:\n  port: 0\n");
  writeFileSync(web.file, "version: 1\n");
  expect(await openAlerts(await home.start())).toEqual([]);
});

test("a project's file that became wrong while no daemon ran has its alert when one starts", async () => {
  await using home = await TestHome.make();
  const { path } = makeRepository(join(home.folder, "api"));
  const first = await home.start();
  await first.client.registerProject({ body: { path } });
  await first.stop();

  mkdirSync(join(path, ".drover"));
  const file = join(path, ".drover", "config.yaml");
  writeFileSync(file, "defaults: [1\n");
  const { client } = await home.start();
  expect((await client.listAlerts()).items).toMatchObject([
    { kind: "config_rejected", subject: "api", count: 1, message: expect.stringContaining(file) },
  ]);
});

async function openAlerts({ client }: Pick<Awaited<ReturnType<TestHome["start"]>>, "client">): Promise<string[]> {
  return (await client.listAlerts()).items.map(({ subject }) => subject).toSorted();
}
