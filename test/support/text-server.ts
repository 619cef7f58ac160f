import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Says the same to everybody, on a port of the loopback. */
export interface TextServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: number;
}

export async function startTextServer(text: string, host = "127.0.0.1"): Promise<TextServer> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end(`${text}\n`);
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
