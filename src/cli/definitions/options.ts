import { type Command, InvalidArgumentError, Option } from "commander";

/** Adds examples to a command's help: what to type and, where it isn't plain, what that does. */
export function examples(command: Command, ...lines: readonly (readonly [type: string, does?: string])[]): Command {
  const width = Math.max(...lines.map(([type]) => type.length));
  const text = lines.map(([type, does]) => (does === undefined ? `  ${type}` : `  ${type.padEnd(width)}  ${does}`)).join("\n");
  return command.addHelpText("after", `\nExamples:\n${text}`);
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Use a whole number.");
  return Number(text);
}

export function decimal(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("Use a number, such as 2 or 0.5.");
  return Number(text);
}

export function list(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as epoch milliseconds: an ISO date and time, or a time from now, `90m`, `12h`, `3d`. */
export function moment(now: () => number): (text: string) => number {
  return (text) => {
    const [, amount, unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
    const at = amount === undefined ? Date.parse(text) : now() + Number(amount) * (unitsMs[unit] ?? 0);
    if (Number.isNaN(at))
      throw new InvalidArgumentError("Use a time from now, such as 90m, 12h or 3d, or a date, such as 2026-01-31T18:00.");
    return at;
  };
}

export function limitOption(): Option {
  return new Option("-n, --limit <count>", "at most so many").argParser(wholeNumber).default(50);
}

export function afterOption(): Option {
  return new Option("--after <cursor>", "go on where the page before ended");
}
