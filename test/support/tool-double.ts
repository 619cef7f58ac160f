import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { toolServer, type ToolServer } from "../../src/agents/tool-server.ts";
import { RunToolCall } from "../../src/contract/run-tools.ts";

/** Stands in for the daemon where the tools of a run's agent are called: on a socket alone, as from a container. */
export interface ToolDouble extends AsyncDisposable {
  readonly server: ToolServer;
  /** What was called, in order; each with the token that it was called with. */
  readonly calls: { readonly token: string | undefined; readonly call: RunToolCall }[];
}

/** @param folder for the socket and the file that leads there. */
export async function openToolDouble(folder: string, answer: (call: RunToolCall) => string): Promise<ToolDouble> {
  const calls: ToolDouble["calls"] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const call = RunToolCall.parse(await json(request));
    calls.push({ token: request.headers.authorization, call });
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ text: answer(call) }));
  };
  const listener = createServer((request, response) => void receive(request, response));
  const reach = join(folder, "tools.sock");
  await once(listener.listen(reach), "listening");
  return {
    // Nothing listens at this port, which is nobody's to have.
    server: toolServer(join(folder, "tools"), { url: "http://127.0.0.1:1/api/tools/run_1", token: "token-of-run-1", reach }),
    calls,
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
