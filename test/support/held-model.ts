import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type { TestModel } from "./model-server.ts";

/** A unix socket before the model's: what is asked goes through at once, what is answered once it is opened. */
export interface HeldModel extends AsyncDisposable {
  readonly socket: string;
  readonly open: () => void;
}

export async function holdModel({ socket: model }: TestModel): Promise<HeldModel> {
  const opened = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((asker) => {
    const answerer = connect(model);
    for (const [one, other] of [
      [asker, answerer],
      [answerer, asker],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
    }
    asker.pipe(answerer);
    void opened.promise.then(() => answerer.pipe(asker));
  });
  const socket = join(dirname(model), "held");
  server.listen(socket);
  await once(server, "listening");
  return {
    socket,
    open: opened.resolve,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const one of sockets) one.destroy();
      await closed;
    },
  };
}
