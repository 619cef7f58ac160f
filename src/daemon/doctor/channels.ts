import type { ChannelConfig } from "../../contract/config.ts";
import type { Finding } from "../../contract/doctor.ts";
import type { ChannelStatus } from "../../contract/notice.ts";
import { routes } from "../../contract/routes.ts";
import { readHolder } from "../instance-lock.ts";
import { readOrMakeToken } from "../token.ts";
import { ok, warn, type Check, type Place } from "./examination.ts";

/** Where alerts are sent: what the daemon knows of each channel, where one runs, and else whether its secret is there. */
export const channelCheck: Check = { name: "channels", look: lookAtChannels };

async function lookAtChannels(place: Place): Promise<Finding[]> {
  const channels = Object.entries(place.config.alerts.channels);
  if (channels.length === 0) return [];
  const known = await askDaemon(place);
  return channels.map(([name, config]) => judgeChannel(name, config, known.get(name), place.env));
}

/** @param status as the daemon tells it; undefined: none runs, or it does not know the channel. */
export function judgeChannel(name: string, config: ChannelConfig, status: ChannelStatus | undefined, env: Place["env"]): Finding {
  const check = `channel ${name}`;
  const test = `See what it says now: drover alert test ${name}`;
  if (status !== undefined && status.failures > 0)
    return warn(check, `${status.failures} attempts failed since the last message: ${status.lastError ?? "no reason"}`, test);
  if (status !== undefined && status.lastSentAt !== null) return ok(check, `last told ${new Date(status.lastSentAt).toISOString()}`);
  const variable = config.urlVariable ?? config.tokenVariable;
  if (variable !== null && !env[variable])
    return warn(check, `${variable} is not set in this shell`, `Set it where the daemon is started. ${test}`);
  return ok(check, "never told anything yet");
}

async function askDaemon({ paths, signal }: Place): Promise<ReadonlyMap<string, ChannelStatus>> {
  const url = readHolder(paths)?.url;
  if (url === undefined) return new Map();
  try {
    const headers = { authorization: `Bearer ${readOrMakeToken(paths.auth)}` };
    const response = await fetch(new URL(routes.listChannels.path, url), { headers, signal });
    const { items } = routes.listChannels.response.parse(await response.json());
    return new Map(items.map((status) => [status.name, status]));
  } catch {
    signal.throwIfAborted();
    // Then nothing is known of its channels; that it does not answer is what the other checks are about.
    return new Map();
  }
}
