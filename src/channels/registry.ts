import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { ChannelConfig } from "../contract/config.ts";
import type { Channel } from "./channel.ts";
import { DesktopChannel } from "./desktop.ts";
import { SlackChannel } from "./slack.ts";
import { TelegramChannel } from "./telegram.ts";
import { WebhookChannel } from "./webhook.ts";

/** What channels work with. */
export interface ChannelSurroundings {
  readonly clock: Clock;
  /** A secret of the daemon's environment by its variable's name. */
  readonly secret: (variable: string) => string | undefined;
  /** What a program of the desktop needs of the daemon's environment. */
  readonly desktopEnvironment: () => Readonly<Record<string, string>>;
}

/** The channel that a configuration describes; what it lacks shows when it is to send. */
export function createChannel(config: ChannelConfig, around: ChannelSurroundings): Channel {
  const { clock } = around;
  const secret = (variable: string | null) => requireSecret(around, variable);
  switch (config.kind) {
    case "slack":
      return new SlackChannel(clock, () => secret(config.urlVariable));
    case "webhook":
      return new WebhookChannel(clock, () => secret(config.urlVariable));
    case "telegram":
      return new TelegramChannel(clock, { apiUrl: config.apiUrl, chatId: config.chatId }, () => secret(config.tokenVariable));
    case "desktop":
      return new DesktopChannel(clock, around.desktopEnvironment);
  }
}

function requireSecret({ secret }: ChannelSurroundings, variable: string | null): string {
  const value = variable === null ? undefined : secret(variable);
  if (value !== undefined) return value;
  throw new AppError("invalid", `The variable ${variable} is not set where the daemon was started. Set it, and restart the daemon.`);
}
