import { execFileSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { TestHome } from "./daemon.ts";
import { makeRepository } from "./repository.ts";

/** A home and a repository, registered by the test as `api`, whose one agent does what the test tells it. */
export interface ObeyingScene extends AsyncDisposable {
  readonly home: TestHome;
  readonly path: string;
  /** A line of sh for the agent, done now or when it comes to it. */
  readonly order: (line: string) => Promise<void>;
}

/** What ends the agent well. */
export const COMPLETE = `echo '{"type":"turn_ended","verdict":{"ok":true},"report":"Done."}'; exit 0`;

const program = join(import.meta.dirname, "../programs/obeys.sh");

/** @param config sections of the home's configuration besides its agent. */
export async function openObeyingScene(config: { defaults?: object; [section: string]: unknown } = {}): Promise<ObeyingScene> {
  await using stack = new AsyncDisposableStack();
  const agents = { obeys: { driver: "command", command: ["sh", program], env: ["ORDERS"] } };
  const home = stack.use(await TestHome.make({ agents, ...config, defaults: { agent: "obeys", retryAttempts: 1, ...config.defaults } }));
  const fifo = join(home.folder, "orders");
  execFileSync("mkfifo", [fifo]);
  // Both sides, so that neither this nor a write ever waits for a reader.
  const orders = await open(fifo, "r+");
  stack.defer(() => orders.close());
  home.env["ORDERS"] = fifo;
  const { path } = makeRepository(join(home.folder, "api"));
  const end = stack.move();
  return {
    home,
    path,
    order: async (line) => void (await orders.write(`${line}\n`)),
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  };
}
