import { join } from "node:path";
import { TestHome, type TestDaemon } from "./daemon.ts";
import { Gate } from "./gate.ts";
import { makeRepository } from "./repository.ts";

/** A home and a repository whose agents wait until the test lets them go on. */
export interface WaitingScene extends AsyncDisposable {
  readonly home: TestHome;
  readonly gate: Gate;
  /** The repository, registered as `api`. */
  readonly path: string;
}

const program = join(import.meta.dirname, "../programs/waits-for-go.sh");

/** @param config sections of the home's configuration besides its agent. */
export async function openWaitingScene(config: Readonly<Record<string, unknown>> = {}): Promise<WaitingScene> {
  await using stack = new AsyncDisposableStack();
  const agents = { waits: { driver: "command", command: ["sh", program], env: ["GATE"] } };
  const home = stack.use(await TestHome.make({ agents, defaults: { agent: "waits" }, ...config }));
  const gate = stack.use(await Gate.make(join(home.folder, "gate")));
  home.env["GATE"] = join(home.folder, "gate");
  const { path } = makeRepository(join(home.folder, "api"));
  const end = stack.move();
  return { home, gate, path, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** Registers the repository and files so many tasks in it. */
export async function fileTasks({ path }: WaitingScene, { client }: TestDaemon, count: number): Promise<void> {
  await client.registerProject({ body: { path, name: "api" } });
  for (let number = 1; number <= count; number++) await client.createTask({ body: { project: "api", title: `Task ${number}` } });
}

/** Resolves when so many agents have said their session since the first start. */
export async function agentsAtWork(daemon: TestDaemon, count: number): Promise<void> {
  let started = 0;
  await daemon.until((event) => {
    if (event.type === "run.session_started") started += 1;
    return started === count;
  });
}
