import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A port of this machine's loopback that leads to a unix socket of ours. */
export interface Relay extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
}

const program = fileURLToPath(new URL("../programs/relay.ts", import.meta.url));

export async function startRelay(socket: string): Promise<Relay> {
  const relay = spawn(process.execPath, [program, socket], { stdio: ["pipe", "pipe", "inherit"] });
  const [port] = (await once(createInterface({ input: relay.stdout }), "line")) as [string];
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      relay.stdin.end();
      await once(relay, "exit");
    },
  };
}
