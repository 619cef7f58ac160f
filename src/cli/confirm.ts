import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import type { Cli } from "./cli.ts";

/** Whether the person agrees. With --yes they do; where there is nobody to ask it is `invalid`. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  if (cli.isYes) return true;
  if (!cli.terminal.isInteractive) throw new AppError("invalid", `${safeLine(question)} There is no terminal to ask at: say --yes.`);
  const prompts = await import("@clack/prompts");
  const answer = await prompts.confirm({ message: safeLine(question), initialValue: false, signal: cli.signal });
  return answer === true;
}
