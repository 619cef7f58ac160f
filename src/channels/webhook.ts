import type { Clock } from "../base/clock.ts";
import type { NoticeContent } from "../contract/notice.ts";
import type { Channel } from "./channel.ts";
import { noticeText } from "./notice-text.ts";
import { post } from "./post.ts";

/** Any address that takes JSON: the notice as it is, and the same as text. Its id is the `idempotency-key` of each attempt. */
export class WebhookChannel implements Channel {
  readonly #clock: Clock;
  readonly #url: () => string;

  constructor(clock: Clock, url: () => string) {
    this.#clock = clock;
    this.#url = url;
  }

  send(notice: NoticeContent, signal: AbortSignal): Promise<void> {
    const { title, body } = noticeText(notice);
    const headers = { "idempotency-key": notice.id };
    return post(this.#clock, { url: this.#url(), body: { ...notice, text: `${title}\n${body}` }, headers }, signal);
  }
}
