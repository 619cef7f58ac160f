import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { startModelServer } from "../../src/demo/model-server.ts";
import { TestHome, type TestDaemon } from "./daemon.ts";
import { Gate } from "./gate.ts";
import { makeRepository } from "./repository.ts";
import { Screen } from "./screen.ts";

const AGENT = join(import.meta.dirname, "../programs/shows-itself.sh");
const DROVER = join(import.meta.dirname, "../../src/cli/main.ts");

/** A plan waits for approval; what one looks at ends by itself. */
const WORKFLOWS = {
  plan: 'name: plan\nstages:\n  - { name: outline, prompt: "{{> request}}", yields: report, approval: true }\n',
  look: 'name: look\nstages:\n  - { name: look, prompt: "{{> request}}", yields: report }\n',
};
/** Agents of `docs` have windows. */
const FILES = { api: { "README.md": "api\n" }, docs: { "README.md": "docs\n", ".drover/config.yaml": "defaults: { isolation: tmux }\n" } };
const DRAFTS = 1000;
const AT_ONCE = 20;

export interface OpenOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** What `drover tui` is tried on: a daemon with two projects, 1,000 drafts, an agent that waits to be let go, and a scripted model. */
export class TuiScene implements AsyncDisposable {
  readonly home: TestHome;
  daemon: TestDaemon;
  readonly gate: Gate;
  readonly #owned: AsyncDisposableStack;

  private constructor(home: TestHome, daemon: TestDaemon, gate: Gate, owned: AsyncDisposableStack) {
    this.home = home;
    this.daemon = daemon;
    this.gate = gate;
    this.#owned = owned;
  }

  static async make(): Promise<TuiScene> {
    await using stack = new AsyncDisposableStack();
    const model = stack.use(await startModelServer({ script: { scenarios: [] }, listen: { port: 0 }, clock: systemClock }));
    const home = stack.use(
      await TestHome.make({
        daemon: { maxProcesses: 4 },
        agents: { shows: { driver: "command", command: ["sh", AGENT], env: ["GATE"] } },
        defaults: { agent: "shows", isolation: "process" },
        providers: { mock: { kind: "anthropic", baseUrl: `${model.address}/v1`, keyVariable: "MOCK_MODEL_CODE" } },
        chat: { model: "mock/small-1" },
      }),
    );
    const gate = stack.use(await Gate.make(join(home.folder, "gate")));
    Object.assign(home.env, { GATE: join(home.folder, "gate"), MOCK_MODEL_CODE: "the-key-of-the-provider" });
    mkdirSync(join(home.home, "workflows"));
    for (const [name, text] of Object.entries(WORKFLOWS)) writeFileSync(join(home.home, "workflows", `${name}.yaml`), text);
    const daemon = await home.start();
    for (const name of ["api", "docs"] as const) {
      const { path } = makeRepository(join(home.folder, name), { files: FILES[name] });
      await daemon.client.registerProject({ body: { path, name } });
    }
    await fileDrafts(daemon, DRAFTS);
    return new TuiScene(home, daemon, gate, stack.move());
  }

  /** Files a task that an agent looks at unless it is a draft; with ASK or WAIT in its title the agent does that. */
  async file(title: string, { project = "api", draft = false } = {}): Promise<string> {
    return (await this.daemon.client.createTask({ body: { project, title, workflow: "look", draft } })).key;
  }

  /** Cancels all that is not ended, and waits until it is. */
  async endWork(): Promise<void> {
    const { client } = this.daemon;
    for (const status of ["queued", "running", "waiting", "blocked"] as const) {
      for (const { id } of (await client.listTasks({ query: { status } })).items) {
        await client.cancelTask({ params: { task: id } });
        await this.daemon.taskWith(id, "cancelled");
      }
    }
  }

  /** Another daemon in the place of the one that ended. */
  async restart(): Promise<void> {
    this.daemon = await this.home.start();
  }

  /** `drover tui` in a terminal of its own, in the scene's folder. */
  open({ columns, rows, env = {}, args = [] }: OpenOptions = {}): Screen {
    const { folder, home } = this.home;
    return Screen.open({
      folder,
      command: [process.execPath, DROVER, "tui", ...args],
      cwd: folder,
      env: { DROVER_HOME: home, NO_COLOR: undefined, CI: undefined, TERM: "screen-256color", LANG: "C.UTF-8", ...env },
      ...(columns !== undefined && { columns }),
      ...(rows !== undefined && { rows }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** One of them, in the middle, has a word of its own. */
async function fileDrafts({ client }: TestDaemon, count: number): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index + 1);
    await Promise.all(
      numbers.map((number) => {
        const title = `Chapter ${number}${number === Math.floor(count / 2) ? " on heliotropes" : ""}`;
        return client.createTask({ body: { project: "docs", title, draft: true } });
      }),
    );
  }
}
