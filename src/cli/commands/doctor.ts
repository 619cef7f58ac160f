import type { Finding } from "../../contract/doctor.ts";
import type { Cli } from "../cli.ts";
import { examine } from "../daemon-process.ts";
import { Ended } from "../exit-codes.ts";
import { plural } from "../../words/format.ts";
import { show, Shown } from "../../words/shown.ts";

/** Says of each thing that Drover needs how it is and what to do; fails when one of them fails. */
export async function doctor(cli: Cli): Promise<void> {
  const findings = await examine(cli);
  const count = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  if (cli.isJson) cli.terminal.printJson({ ok: count("fail") === 0, findings });
  else {
    const width = Math.max(...findings.map(({ check }) => check.length));
    cli.terminal.print(...findings.flatMap((finding) => lines(finding, width)));
    cli.terminal.note(show`${plural(count("fail"), "failure")}, ${plural(count("warn"), "warning")}.`);
  }
  if (count("fail") > 0) throw new Ended(1);
}

const paints = { ok: "green", warn: "yellow", fail: "red" } as const;

function lines({ check, level, found, remedy }: Finding, width: number): Shown[] {
  const name = Shown.lines(check.padEnd(width), "bold");
  const line = show`${Shown.lines(level.padEnd(4), paints[level])}  ${name}  ${found}`;
  return remedy === null ? [line] : [line, show`${Shown.lines(" ".repeat(width + 8))}${remedy}`];
}
