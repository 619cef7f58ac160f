import { safeLine } from "../base/text.ts";
import type { NoticeContent } from "../contract/notice.ts";

/** What people read: a line that says it all, and what there is to say besides. Plain text; each channel escapes it. */
export interface NoticeText {
  readonly title: string;
  readonly body: string;
}

const SUBJECT_MAX = 100;
const MESSAGE_MAX = 500;

export function noticeText(notice: NoticeContent): NoticeText {
  if (notice.change === "test") return { title: "Drover: a test", body: "Alerts of Drover come here." };
  return { title: safeLine(title(notice)), body: [...notice.alerts.map((alert) => line(notice, alert)), ...rest(notice)].join("\n") };
}

/** Takes from an `@name` in text from outside that it calls somebody. */
export function withoutMentions(text: string): string {
  return text.replaceAll("@", "@\u2060");
}

function title({ kind, change, count, alerts: [first] }: NoticeContent): string {
  const what = kind.replaceAll("_", " ");
  const which = count === 1 && first !== undefined ? `: ${first.subject}` : `: ${count} alerts`;
  return `Drover: ${what}${change === "resolved" ? " resolved" : ""}${which}`;
}

function line({ change, count }: NoticeContent, { subject, message, times }: NoticeContent["alerts"][number]): string {
  const about = count === 1 ? "" : safeLine(subject, SUBJECT_MAX);
  if (change === "resolved") return about;
  const often = times === 1 ? "" : ` (${times} times)`;
  return `${about === "" ? "" : `${about}: `}${safeLine(message, MESSAGE_MAX)}${often}`;
}

function rest({ change, count, alerts, heldBack }: NoticeContent): string[] {
  const more = count - alerts.length;
  return [
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(heldBack > 0 ? [`Held back, to keep to the messages an hour: ${heldBack} more ${heldBack === 1 ? "alert" : "alerts"}.`] : []),
    ...(change === "raised" ? ["All of them: drover alert list"] : []),
  ];
}
