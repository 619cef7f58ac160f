import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TestHome } from "../support/daemon.ts";
import { makeRepository } from "../support/repository.ts";

test("a task that is filed twice with one key is there once, and so is its line in the audit log", async () => {
  await using home = await TestHome.make();
  const { path } = makeRepository(join(home.folder, "api"));
  const { client } = await home.start();
  await client.changeQueue({ body: { paused: true } });
  await client.registerProject({ body: { path } });
  const file = () => client.createTask({ body: { project: "api", title: "Once", idempotencyKey: "once" } });
  const first = await file();
  expect(first).toMatchObject({ key: "api#1", created: true });
  expect(await file()).toEqual({ ...first, created: false });
  const { items } = await client.listAudit();
  expect(items.filter(({ action }) => action === "task.create")).toMatchObject([
    { subject: "api", detail: { title: "Once", key: "once" } },
  ]);
});

test("an alert that a person dismisses is resolved, once, by them", async () => {
  await using home = await TestHome.make();
  const { path } = makeRepository(join(home.folder, "api"));
  mkdirSync(join(path, ".drover"));
  const daemon = await home.start();
  const { client } = daemon;
  await client.registerProject({ body: { path } });
  writeFileSync(join(path, ".drover", "config.yaml"), "defaults: [1\n");
  await daemon.until((event) => event.type === "alert.raised");
  const [alert] = (await client.listAlerts()).items;
  if (alert === undefined) throw new Error("An alert was raised.");
  const dismiss = () => client.dismissAlert({ params: { alert: alert.id } });
  const dismissed = await dismiss();
  expect(dismissed).toEqual({ ...alert, resolvedAt: dismissed.resolvedAt });
  expect(dismissed.resolvedAt).toBeGreaterThanOrEqual(alert.raisedAt);
  expect((await client.listAlerts()).items).toEqual([]);
  expect((await client.listAudit({ query: { limit: 1 } })).items).toMatchObject([
    { actor: "api", action: "alert.dismiss", subject: "api", detail: { kind: "config_rejected", message: alert.message } },
  ]);
  expect((await daemon.until((event) => event.type === "alert.resolved")).at(-1)).toMatchObject({ projectId: alert.projectId });
  await expect(dismiss()).rejects.toMatchObject({ code: "conflict" });
  await expect(client.dismissAlert({ params: { alert: "alert_none" } })).rejects.toMatchObject({ code: "not_found" });
});

test("metrics tell what runs came to, to whoever has the token", async () => {
  const says = `printf '%s\\n' '{"type":"turn_ended","verdict":{"ok":true},"report":"Nothing to do."}'`;
  await using home = await TestHome.make({
    agents: { says: { driver: "command", command: ["sh", "-c", says] } },
    defaults: { agent: "says" },
  });
  const { path } = makeRepository(join(home.folder, "api"));
  const daemon = await home.start();
  const { client } = daemon;
  await client.registerProject({ body: { path } });
  expect(await client.getMetrics({})).not.toContain("drover_runs_total{");
  const { key } = await client.createTask({ body: { project: "api", title: "Look", mode: "plan" } });
  await daemon.settledTask(key);
  const metrics = await client.getMetrics({});
  expect(metrics).toContain('drover_runs_total{project="api",agent="says",outcome="no_change"} 1\n');
  expect(metrics).toContain('drover_tasks{status="succeeded"} 1\n');
  expect(metrics).toMatch(/^drover_memory_bytes\{of="daemon"\} \d{7,}$/mu);
  const { url } = await client.getDaemon();
  const stranger = await fetch(new URL("/metrics", url));
  expect([stranger.status, stranger.headers.get("content-type")]).toEqual([401, "application/problem+json"]);
});
