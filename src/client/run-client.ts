import { once } from "node:events";
import { existsSync } from "node:fs";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { basename, dirname } from "node:path";
import { text } from "node:stream/consumers";
import { Problem } from "../contract/routes.ts";
import type { RunPlace, RunToolCall } from "../contract/run-tools.ts";
import { ClientError } from "./client-error.ts";

/** Calls a tool for the agent of a run, by the token of that run. Returns what to tell the agent. Every failure is a `ClientError`. */
export async function callRunTool(place: RunPlace, call: RunToolCall, signal: AbortSignal): Promise<string> {
  const answer = await post(place, JSON.stringify(call), signal);
  const body: unknown = JSON.parse(await text(answer));
  if (answer.statusCode === 200) return (body as { text: string }).text;
  const problem = Problem.safeParse(body).data;
  if (!problem) throw new ClientError("unavailable", `What answers there is not Drover (HTTP ${answer.statusCode}).`);
  throw new ClientError(problem.code, problem.detail, { status: problem.status, issues: problem.issues });
}

/** By the daemon's loopback; where that is another, as in a container, by the socket. */
async function post(place: RunPlace, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  try {
    return await send(place, {}, body, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (!existsSync(place.reach)) {
      throw new ClientError("unavailable", `Drover does not answer at ${new URL(place.url).host}. Try again in a minute.`, { cause });
    }
    // A path of a socket must be short, that of its folder need not be.
    process.chdir(dirname(place.reach));
    return await send(place, { socketPath: basename(place.reach) }, body, signal);
  }
}

async function send({ url, token }: RunPlace, way: RequestOptions, body: string, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const outgoing = request(url, { ...way, method: "POST", headers, signal }).end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  return answer;
}
