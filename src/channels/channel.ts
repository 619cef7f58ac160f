import type { NoticeContent } from "../contract/notice.ts";

/** A place where people are told of alerts. */
export interface Channel {
  /**
   * Sends one message. Throws `unavailable` or `timeout` for what may pass by itself (with `retryAfterMs`, where it was told)
   * and `invalid` for what a person has to put right. No error holds a secret that we sent.
   */
  send(notice: NoticeContent, signal: AbortSignal): Promise<void>;
}
