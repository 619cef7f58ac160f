/**
 * `gh` on the PATH of an agent: asks the daemon, which has the token. It is copied, with what it imports, to a folder of the
 * run, so it needs nothing but Node.js. `place.json` beside it says where the daemon is.
 */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { BrokerAnswer } from "../../contract/broker.ts";
import { readArguments, type Asked } from "./arguments.ts";
import { print, type Printed } from "./text.ts";

const { url, token, reach } = JSON.parse(readFileSync(join(import.meta.dirname, "place.json"), "utf8")) as {
  url: string;
  token: string;
  /** Where a container finds the daemon, whose loopback is another: a socket. */
  reach: string;
};

const { text: said, exitCode, toStderr } = await run(process.argv.slice(2));
if (said !== "") (toStderr ? process.stderr : process.stdout).write(`${said}\n`);
process.exitCode = exitCode;

async function run(argv: readonly string[]): Promise<Printed> {
  const command = readArguments(argv);
  if (command.kind === "say") return { text: command.text, exitCode: 0 };
  if (command.kind === "fail") return { text: command.text, exitCode: 1, toStderr: true };
  try {
    const body = command.bodyFile === null ? {} : { body: readFileSync(command.bodyFile === "-" ? 0 : command.bodyFile, "utf8") };
    const answers: BrokerAnswer[] = [];
    for (const call of command.calls) answers.push(await ask({ ...call, ...body }));
    return print(answers, command.show);
  } catch (thrown) {
    return { text: thrown instanceof Error ? thrown.message : String(thrown), exitCode: 1, toStderr: true };
  }
}

async function ask(call: Asked): Promise<BrokerAnswer> {
  const answer = await post(JSON.stringify(call));
  const body = JSON.parse(await text(answer)) as BrokerAnswer & Refusal;
  if (answer.statusCode === 200) return body;
  const fields = (body.issues ?? []).map(({ path, message }) => `${path}: ${message}`);
  throw new Error([body.detail, ...fields].join("\n"));
}

/** A problem of the API (RFC 9457). */
interface Refusal {
  readonly detail: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

async function post(body: string): Promise<IncomingMessage> {
  try {
    return await send(url, {}, body);
  } catch (thrown) {
    if (existsSync(reach)) {
      // A path of a socket must be short.
      process.chdir(dirname(reach));
      return await send(url, { socketPath: reach.slice(dirname(reach).length + 1) }, body);
    }
    throw new Error(`Drover does not answer at ${new URL(url).host}. Try again in a minute.`, { cause: thrown });
  }
}

async function send(to: string, way: RequestOptions, body: string): Promise<IncomingMessage> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const outgoing = request(to, { ...way, method: "POST", headers }).end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  return answer;
}
