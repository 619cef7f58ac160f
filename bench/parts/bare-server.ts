import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** A server of node:http and nothing else, for as long as `work` takes. */
export async function onBareServer<Result>(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => response.destroy(thrown as Error));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
