import { expect, test } from "vitest";
import { Config } from "../../contract/config.ts";
import type { ChannelStatus } from "../../contract/notice.ts";
import { judgeChannel } from "./channels.ts";

const { team } = Config.parse({ alerts: { channels: { team: { kind: "slack", urlVariable: "HOOK" } } } }).alerts.channels;

function judge(status: Partial<ChannelStatus> | undefined, env: Record<string, string> = {}) {
  if (team === undefined) throw new Error("It was just configured.");
  const nothing = { pending: 0, lastSentAt: null, failures: 0, lastError: null };
  const sample: ChannelStatus = { name: "team", kind: "slack", kinds: [], projects: [], ...nothing };
  const { level, found } = judgeChannel("team", team, status && { ...sample, ...status }, env);
  return `${level}: ${found}`;
}

test("a channel is judged by what the daemon knows of it, else by whether its secret is there", () => {
  expect(judge({ failures: 3, lastError: "It answered 500", lastSentAt: 0 })).toBe(
    "warn: 3 attempts failed since the last message: It answered 500",
  );
  expect(judge({ lastSentAt: 0 })).toBe("ok: last told 1970-01-01T00:00:00.000Z");
  expect(judge({}, { HOOK: "https://hooks.example/x" })).toBe("ok: never told anything yet");
  expect(judge(undefined, { HOOK: "https://hooks.example/x" })).toBe("ok: never told anything yet");
  expect(judge(undefined)).toBe("warn: HOOK is not set in this shell");
});
