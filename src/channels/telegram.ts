import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { NoticeContent } from "../contract/notice.ts";
import type { Channel } from "./channel.ts";
import { noticeText, withoutMentions } from "./notice-text.ts";
import { post } from "./post.ts";

/** Characters of a message (https://core.telegram.org/bots/api#sendmessage). */
const TEXT_MAX = 4096;

/** `parameters.retry_after` of a refusal, seconds (https://core.telegram.org/bots/api#responseparameters). */
const Refusal = z.object({ parameters: z.object({ retry_after: z.int().nonnegative() }) });

/** A chat of a bot of Telegram. Without `parse_mode` text is text, and nothing in it needs escaping. It knows no idempotency. */
export class TelegramChannel implements Channel {
  readonly #clock: Clock;
  readonly #target: { readonly apiUrl: string; readonly chatId: number | string | null };
  readonly #token: () => string;

  constructor(clock: Clock, target: { apiUrl: string; chatId: number | string | null }, token: () => string) {
    this.#clock = clock;
    this.#target = target;
    this.#token = token;
  }

  send(notice: NoticeContent, signal: AbortSignal): Promise<void> {
    const { title, body } = noticeText(notice);
    const text = withoutMentions(`${title}\n${body}`).slice(0, TEXT_MAX);
    const { apiUrl, chatId } = this.#target;
    const url = `${apiUrl.replace(/\/$/, "")}/bot${this.#token()}/sendMessage`;
    return post(this.#clock, { url, body: { chat_id: chatId, text, link_preview_options: { is_disabled: true } }, retryAfterMs }, signal);
  }
}

function retryAfterMs(answer: string): number | undefined {
  try {
    const refusal = Refusal.safeParse(JSON.parse(answer));
    return refusal.success ? refusal.data.parameters.retry_after * 1000 : undefined;
  } catch {
    return undefined; // not Telegram's own words: a proxy's
  }
}
