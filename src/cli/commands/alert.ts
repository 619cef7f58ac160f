import { messageOf } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import type { ChannelStatus } from "../../contract/notice.ts";
import type { Cli } from "../cli.ts";
import { Ended } from "../exit-codes.ts";
import { ago } from "../../words/format.ts";
import { painted, show, type Shown } from "../../words/shown.ts";
import type { PageOptions } from "./history.ts";

export async function list(cli: Cli, { all, ...query }: PageOptions & { all?: boolean }): Promise<void> {
  const page = await (await cli.connect()).listAlerts({ query: { ...query, open: !all }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`No alerts.`);
  const now = cli.clock.now();
  // Not a table: its last column would be cut, and all of the message is for a person.
  for (const { id, kind, subject, message, count, lastAt, resolvedAt } of page.items) {
    const state = resolvedAt === null ? painted("yellow", "open") : painted("dim", "resolved");
    const times = count === 1 ? "" : `${count} times, `;
    cli.terminal.print(
      show`${painted("bold", kind)} ${subject}  ${state}, ${times}${ago(lastAt, now)}  ${painted("dim", id)}`,
      show`  ${message}`,
    );
  }
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

export async function dismiss(cli: Cli, alert: string): Promise<void> {
  const dismissed = await (await cli.connect()).dismissAlert({ params: { alert }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(dismissed);
  cli.terminal.print(show`Dismissed: ${painted("bold", dismissed.kind)} of ${dismissed.subject}.`);
}

export async function channels(cli: Cli): Promise<void> {
  const answer = await (await cli.connect()).listChannels({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(answer);
  if (answer.items.length === 0) return cli.terminal.print(show`No channels: alerts.channels of the configuration is empty.`);
  const now = cli.clock.now();
  const columns = ["CHANNEL", "KIND", "FOR", "LAST SENT", "WAITING", "STATE"];
  await cli.terminal.printTable(
    columns,
    answer.items.map((channel) => channelRow(channel, now)),
  );
}

/** Tests one channel, or each of them whatever comes of the others; fails when any could not be told. */
export async function test(cli: Cli, named?: string): Promise<void> {
  const client = await cli.connect();
  const names = named === undefined ? (await client.listChannels({ signal: cli.signal })).items.map(({ name }) => name) : [named];
  if (names.length === 0 && !cli.isJson) return cli.terminal.print(show`No channels: alerts.channels of the configuration is empty.`);
  const items = await Promise.all(names.map((channel) => testOne(cli, client, channel)));
  if (cli.isJson) cli.terminal.printJson({ items });
  else
    for (const { channel, error } of items)
      cli.terminal.print(error === null ? show`${painted("bold", channel)} was sent a message.` : painted("red", error));
  if (items.some(({ error }) => error !== null)) throw new Ended(1);
}

async function testOne({ signal }: Cli, client: Client, channel: string): Promise<{ channel: string; error: string | null }> {
  try {
    await client.testChannel({ params: { channel }, signal });
    return { channel, error: null };
  } catch (thrown) {
    signal.throwIfAborted();
    // That it does not work is an answer here.
    return { channel, error: messageOf(thrown) };
  }
}

function channelRow({ name, kind, kinds, projects, lastSentAt, pending, failures, lastError }: ChannelStatus, now: number): Shown[] {
  const state = failures === 0 ? painted("green", "works") : show`${painted("red", "fails")}: ${lastError ?? "-"}`;
  return [
    painted("bold", name),
    show`${kind}`,
    show`${[...projects, ...kinds].join(", ") || "all"}`,
    show`${lastSentAt === null ? "-" : ago(lastSentAt, now)}`,
    show`${pending}`,
    state,
  ];
}
