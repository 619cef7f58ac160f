import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { notificationCommand } from "../../src/channels/desktop.ts";
import { createChannel } from "../../src/channels/registry.ts";
import { Config } from "../../src/contract/config.ts";
import type { NoticeContent } from "../../src/contract/notice.ts";
import { ChannelDouble } from "../support/channel-double.ts";
import { TellerWorld } from "../support/teller-world.ts";
import { temporaryFolder } from "../support/repository.ts";

const { signal } = new AbortController();

const hostile = "<!channel> <@U1> & *bold* [link](http://evil.example) @ada $(id) `id`\u001b[31m\u202e\n-x <b>";
const notice: NoticeContent = {
  id: "notice_019b7a2e-5c00-7000-8000-000000000001",
  change: "raised",
  kind: "task_failed",
  count: 1,
  alerts: [{ id: "alert_1", subject: "api#1", message: hostile, project: "api", times: 2, raisedAt: 0 }],
  heldBack: 1,
  at: 0,
};

/** A channel as configured, with its secrets and the programs of a folder. */
function channel(config: object, secrets: Record<string, string> = {}, path = "") {
  const [parsed] = Object.values(Config.parse({ alerts: { channels: { one: config } } }).alerts.channels);
  if (parsed === undefined) throw new Error("It was just configured.");
  return createChannel(parsed, { clock: systemClock, secret: (name) => secrets[name], desktopEnvironment: () => ({ PATH: path }) });
}

describe("text from outside has no voice", () => {
  test("in Slack: no mention, link or formatting", async () => {
    await using slack = await ChannelDouble.start();
    await channel({ kind: "slack", urlVariable: "SLACK" }, { SLACK: `${slack.url}/services/T/B/x` }).send(notice, signal);
    expect(slack.requests.map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: "/services/T/B/x",
        body: {
          text: `Drover: task failed: api#1
&lt;!channel&gt; &lt;@\u2060U1&gt; &amp; *bold* [link](http://evil.example) @\u2060ada $(id) \`id\` -x &lt;b&gt; (2 times)
Held back, to keep to the messages an hour: 1 more alert.
All of them: drover alert list`,
          mrkdwn: false,
          unfurl_links: false,
          unfurl_media: false,
        },
      },
    ]);
  });

  test("in Telegram, where it is plain and never too long", async () => {
    await using telegram = await ChannelDouble.start();
    const bot = channel({ kind: "telegram", tokenVariable: "BOT", chatId: -100, apiUrl: `${telegram.url}/` }, { BOT: "1:token" });
    await bot.send(notice, signal);
    const alerts = Array.from({ length: 5 }, () => ({ ...notice.alerts[0], subject: "@".repeat(500), message: "@".repeat(500) }));
    await bot.send({ ...notice, count: 5, alerts: alerts as NoticeContent["alerts"] }, signal);
    expect(telegram.requests[0]?.path).toBe("/bot1:token/sendMessage");
    expect(telegram.requests[0]?.body).toEqual({
      chat_id: -100,
      text: `Drover: task failed: api#1
<!channel> <@\u2060U1> & *bold* [link](http://evil.example) @\u2060ada $(id) \`id\` -x <b> (2 times)
Held back, to keep to the messages an hour: 1 more alert.
All of them: drover alert list`,
      link_preview_options: { is_disabled: true },
    });
    expect(String(telegram.requests[1]?.body["text"]).length).toBe(4096);
  });

  test("on the desktop: neither a program nor an option nor markup", async () => {
    using folder = temporaryFolder();
    const bin = join(folder.path, "bin");
    mkdirSync(bin);
    const script = `#!/bin/sh\nprintf '%s\\n' "$@" >'${folder.path}/said'\n`;
    for (const name of ["notify-send", "osascript"]) {
      writeFileSync(join(bin, name), script);
      chmodSync(join(bin, name), 0o755);
    }
    await channel({ kind: "desktop" }, {}, `${bin}:/usr/bin:/bin`).send(notice, signal);
    const said = readFileSync(join(folder.path, "said"), "utf8");
    const escaped = "&lt;!channel&gt; &lt;@U1&gt; &amp; *bold* [link](http://evil.example) @ada $(id) `id` -x &lt;b&gt; (2 times)";
    expect(said.slice(said.indexOf("Drover:"))).toContain(
      process.platform === "darwin" ? "<b>" : `Drover: task failed: api#1\n${escaped}\n`,
    );
    const [title, body] = ["-t", "<b>&$(id)"];
    expect(notificationCommand({ title, body }, "linux")).toEqual(["notify-send", "--app-name=Drover", "--", "-t", "&lt;b&gt;&amp;$(id)"]);
    expect(notificationCommand({ title, body }, "darwin").slice(-2)).toEqual([title, body]);
  });
});

test("a desktop without the program, or where it fails, says what is wrong", async () => {
  using folder = temporaryFolder();
  await expect(channel({ kind: "desktop" }, {}, folder.path).send(notice, signal)).rejects.toMatchObject({ code: "unavailable" });
  const program = process.platform === "darwin" ? "osascript" : "notify-send";
  writeFileSync(join(folder.path, program), "#!/bin/sh\necho 'no bus' >&2; exit 1\n");
  chmodSync(join(folder.path, program), 0o755);
  const failing = channel({ kind: "desktop" }, {}, folder.path).send(notice, signal);
  await expect(failing).rejects.toMatchObject({ code: "unavailable", message: `${program} failed (1): no bus` });
});

test("Telegram's own word of how long to wait is kept to, and its token is in no message", async () => {
  await using world = await TellerWorld.open();
  const { url, faults, requests } = world.double;
  await world.configure({ chat: { kind: "telegram", tokenVariable: "BOT", chatId: "@ops", apiUrl: url } });
  world.env["BOT"] = "1:k3y";
  const body = JSON.stringify({ ok: false, description: "Too Many Requests: 1:k3y", parameters: { retry_after: 40 } });
  faults.push({ status: 429, body });
  world.raise();
  await world.after(10_000);
  await world.after(39_999);
  expect(requests).toHaveLength(1);
  await world.after(1);
  expect(requests).toHaveLength(2);
  expect(JSON.stringify([world.told(), world.logged])).not.toContain("k3y");
  expect(world.logged).toHaveLength(1);
});

test("secrets in alerts are taken out", async () => {
  await using world = await TellerWorld.open();
  world.raise({ message: "The password is hunter2.", subject: "hunter2" });
  await world.after(10_000);
  expect(JSON.stringify(world.double.requests[0]?.body)).not.toContain("hunter2");
  expect(world.double.texts[0]).toContain("The password is [redacted].");
});

test("a test is sent at once, counts for nothing, and says why it fails", async () => {
  await using world = await TellerWorld.open();
  await world.teller.test("team", signal);
  expect(world.double.texts).toEqual(["Drover: a test\nAlerts of Drover come here."]);
  world.double.faults.push({ status: 403, body: "action_prohibited for k3y" });
  await expect(world.teller.test("team", signal)).rejects.toMatchObject({
    code: "invalid",
    message: "Channel team (webhook) was not told. It answered 403: action_prohibited for [redacted]",
  });
  await expect(world.teller.test("none", signal)).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining("There is: team."),
  });
  expect([world.told(), world.teller.failing()]).toEqual([[], []]);
});
