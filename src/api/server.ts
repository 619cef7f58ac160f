import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { AppError, messageOf } from "../base/errors.ts";
import { createApp, type AppParts } from "./app.ts";
import { Gate, isLoopback, type SecuritySettings } from "./guard.ts";
import { portHolder } from "./port-holder.ts";
import { problem, problemResponse } from "./problem.ts";

export interface ApiParts extends AppParts {
  readonly security: SecuritySettings;
}

export interface Api {
  /**
   * Answers from now on; port 0 takes a free one. Throws `invalid` for an address beyond loopback that the settings do
   * not allow, and `unavailable`, naming the holder where it can be found, when the port is taken.
   */
  start(host: string, port: number): Promise<{ url: string; port: number }>;
  /** Ends the streams at once and waits up to `graceMs` for the answers under way. Safe twice, safe unstarted. */
  stop(graceMs?: number): Promise<void>;
}

const serverOptions = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 };
const CONNECTIONS_MAX = 2048;
const STOP_GRACE_MS = 2000;

/** The HTTP side of the daemon. Translates between HTTP and `Control` by the route table, and decides nothing. */
export function createApi(parts: ApiParts): Api {
  const { clock, feed, log, security } = parts;
  const streams = new Set<AbortController>();
  let server: Server | undefined;
  let stopping: Promise<void> | undefined;

  return {
    async start(host, port) {
      if (!isLoopback(host) && !security.allowRemote) {
        throw new AppError(
          "invalid",
          `On ${host} other machines could reach the API. Set daemon.host to 127.0.0.1, or daemon.allowRemote to true if they should.`,
        );
      }
      server = createServer(serverOptions);
      server.maxConnections = CONNECTIONS_MAX;
      await listen(server, host, port);
      const bound = (server.address() as AddressInfo).port;
      const app = createApp(parts, new Gate({ host, port: bound }, security), streams);
      const respond = getRequestListener((request, env) => app.fetch(request, env), {
        errorHandler: (thrown) => problemResponse(problem(400, "invalid", `This is no request we understand: ${messageOf(thrown)}.`)),
      });
      server.on("request", (incoming, outgoing) => void respond(incoming, outgoing));
      feed.start();
      if (!isLoopback(host))
        log.warn("Other machines can reach the API; the token goes over the network in the clear", { host, port: bound });
      return { url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`, port: bound };
    },

    stop(graceMs = STOP_GRACE_MS) {
      stopping ??= (async () => {
        feed.stop();
        for (const stream of streams) stream.abort(new AppError("cancelled", "The daemon stops."));
        const open = server;
        if (!open?.listening) return;
        const cancelTimer = clock.setTimer(graceMs, () => open.closeAllConnections());
        await new Promise((resolve) => open.close(resolve));
        cancelTimer();
      })();
      return stopping;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (thrown) {
    throw await explain(thrown, host, port);
  }
}

async function explain(thrown: unknown, host: string, port: number): Promise<AppError> {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE") {
    const holder = await portHolder(port);
    return new AppError("unavailable", `Port ${port} is held by ${holder}. End it, or set daemon.port to another one.`, {
      cause: thrown,
      host,
      port,
    });
  }
  if (code === "EACCES")
    return new AppError("invalid", `This user may not listen on port ${port}. Set daemon.port to one above 1023.`, { cause: thrown });
  return new AppError("invalid", `Cannot listen on ${host}:${port}: ${messageOf(thrown)}. Correct daemon.host or daemon.port.`, {
    cause: thrown,
  });
}
