import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import type { NoticeContent } from "../contract/notice.ts";
import { runCommand } from "../process/command.ts";
import type { Channel } from "./channel.ts";
import { noticeText, type NoticeText } from "./notice-text.ts";

const TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 64 * 1024;

/** A notification on this machine's desktop, by `notify-send` or, on macOS, `osascript`. It knows no idempotency. */
export class DesktopChannel implements Channel {
  readonly #clock: Clock;
  readonly #environment: () => Readonly<Record<string, string>>;

  constructor(clock: Clock, environment: () => Readonly<Record<string, string>>) {
    this.#clock = clock;
    this.#environment = environment;
  }

  async send(notice: NoticeContent, signal: AbortSignal): Promise<void> {
    const argv = notificationCommand(noticeText(notice), process.platform);
    const options = { cwd: "/", env: this.#environment(), timeoutMs: TIMEOUT_MS, maxOutputBytes: OUTPUT_BYTES_MAX, clock: this.#clock };
    const { exitCode, stderr } = await runCommand(argv, { ...options, signal });
    // Where nobody is logged in there is no desktop to show it on, which may change.
    if (exitCode !== 0) throw new AppError("unavailable", `${argv[0]} failed (${exitCode}): ${safeLine(stderr)}`);
  }
}

/** The command that shows a text. It is handed over as arguments, which nothing reads as a program, an option or, on Linux, markup. */
export function notificationCommand({ title, body }: NoticeText, platform: NodeJS.Platform): readonly [string, ...string[]] {
  if (platform !== "darwin") return ["notify-send", "--app-name=Drover", "--", title, escaped(body)];
  const script = ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"];
  return ["osascript", ...script.flatMap((line) => ["-e", line]), title, body];
}

/** Bodies are markup: https://specifications.freedesktop.org/notification-spec/latest/markup.html */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
