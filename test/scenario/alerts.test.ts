import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Finding } from "../../src/contract/doctor.ts";
import { ChannelDouble } from "../support/channel-double.ts";
import { TestHome } from "../support/daemon.ts";
import { makeRepository } from "../support/repository.ts";

const doctor = join(import.meta.dirname, "../../src/daemon/doctor/main.ts");
const run = promisify(execFile);
const SECRET = "s3cr3t-of-the-channel";

test("a failed task is told once to each channel, over a refusal and a crash, and no secret is in any log", async () => {
  await using slack = await ChannelDouble.start();
  await using telegram = await ChannelDouble.start();
  await using home = await TestHome.make({
    agents: { fails: { driver: "command", command: ["false"] } },
    defaults: { agent: "fails", retryAttempts: 1 },
    alerts: {
      gatherMs: 0,
      channels: {
        team: { kind: "slack", urlVariable: "TEAM_HOOK" },
        chat: { kind: "telegram", tokenVariable: "CHAT_BOT", chatId: -100, apiUrl: telegram.url },
      },
    },
  });
  Object.assign(home.env, { TEAM_HOOK: `${slack.url}/${SECRET}`, CHAT_BOT: `1:${SECRET}` });
  slack.faults.push({ status: 500, body: `Not now, ${SECRET}.` });
  const { path } = makeRepository(join(home.folder, "api"));
  const first = await home.start();
  await first.client.registerProject({ body: { path, name: "api" } });
  await first.client.createTask({ body: { project: "api", title: "One" } });
  const sent = (channel: string) => (event: { type: string; data: object }) =>
    event.type === "notice.sent" && "channel" in event.data && event.data.channel === channel;
  await first.until((event) => event.type === "notice.failed");
  await first.until(sent("chat"));
  await first.kill();

  const second = await home.start();
  await second.until(sent("team"));
  const { items } = await second.client.listChannels();
  expect(items.map(({ name, pending, failures }) => ({ name, pending, failures }))).toEqual([
    { name: "chat", pending: 0, failures: 0 },
    { name: "team", pending: 0, failures: 0 },
  ]);
  const text = expect.stringMatching(/^Drover: task failed: api#1\n/);
  expect([slack.texts, telegram.texts]).toEqual([[text, text], [text]]);
  expect(slack.texts[1]).toBe(slack.texts[0]);

  await second.client.testChannel({ params: { channel: "team" } });
  slack.faults.push({ status: 404, body: "no_service" });
  await expect(second.client.testChannel({ params: { channel: "team" } })).rejects.toMatchObject({
    code: "invalid",
    message: "Channel team (slack) was not told. It answered 404: no_service",
  });
  // Without a PATH on which it could find, and ask, any agent.
  const env = { PATH: home.folder, HOME: home.folder, DROVER_HOME: home.home };
  const findings = JSON.parse((await run(process.execPath, [doctor], { env })).stdout) as Finding[];
  expect(findings.filter(({ check }) => check.startsWith("channel ")).map(({ check, level }) => [check, level])).toEqual([
    ["channel team", "ok"],
    ["channel chat", "ok"],
  ]);
  await second.stop();
  const logs = readdirSync(join(home.home, "logs")).map((name) => readFileSync(join(home.home, "logs", name), "utf8"));
  expect(logs.join()).toContain("channel not told");
  expect(logs.join()).not.toContain(SECRET);
});
