import type { Clock } from "../base/clock.ts";
import type { NoticeContent } from "../contract/notice.ts";
import type { Channel } from "./channel.ts";
import { noticeText, withoutMentions } from "./notice-text.ts";
import { post } from "./post.ts";

/** An incoming webhook of Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). It knows no idempotency. */
export class SlackChannel implements Channel {
  readonly #clock: Clock;
  readonly #url: () => string;

  constructor(clock: Clock, url: () => string) {
    this.#clock = clock;
    this.#url = url;
  }

  send(notice: NoticeContent, signal: AbortSignal): Promise<void> {
    const { title, body } = noticeText(notice);
    const text = escaped(withoutMentions(`${title}\n${body}`));
    return post(this.#clock, { url: this.#url(), body: { text, mrkdwn: false, unfurl_links: false, unfurl_media: false } }, signal);
  }
}

/** The three characters that mean something wherever Slack takes text; without `<` nothing is a mention or a link. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
