import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "../programs/follows-orders.ts";
import { TestHome, type TestDaemon } from "./daemon.ts";
import { makeRepository } from "./repository.ts";

const program = join(import.meta.dirname, "../programs/follows-orders.ts");

type AgentName = "first" | "second";

/** A home and a repository whose agents, `first` and `second`, each do as the test says. */
export class OrderedScene implements AsyncDisposable {
  readonly home: TestHome;

  private constructor(home: TestHome) {
    this.home = home;
  }

  /** @param config sections of the home's configuration besides its agents; `first` does the work, one at a time, with no wait between attempts. */
  static async open(
    config: Readonly<Record<string, Record<string, unknown>>> = {},
    agent: Record<string, unknown> = {},
  ): Promise<OrderedScene> {
    const one = (name: AgentName) => ({
      driver: "command",
      command: [process.execPath, program, `\${ORDERS}/${name}`],
      account: name,
      ...structuredClone(agent),
    });
    const home = await TestHome.make({
      ...config,
      agents: { first: one("first"), second: one("second") },
      defaults: { agent: "first", retryDelayMs: 0, ...config["defaults"] },
      daemon: { maxProcesses: 1, ...config["daemon"] },
    });
    home.env["ORDERS"] = join(home.folder, "orders");
    makeRepository(join(home.folder, "api"));
    return new OrderedScene(home);
  }

  /** What an agent does from now on, in the order of its starts; the last order is for all further ones. */
  order(agent: AgentName, ...orders: readonly (readonly Step[])[]): void {
    rmSync(this.#folder(agent), { recursive: true, force: true });
    mkdirSync(this.#folder(agent), { recursive: true });
    writeFileSync(join(this.#folder(agent), "list.json"), JSON.stringify(orders));
  }

  /** How many of an agent have started since it was ordered. */
  started(agent: AgentName): number {
    return readdirSync(this.#folder(agent)).length - 1;
  }

  /** What the n-th of them was told. */
  prompt(agent: AgentName, number: number): string {
    return readFileSync(join(this.#folder(agent), String(number), "prompt"), "utf8");
  }

  /** With what arguments and variables the n-th of them was called. */
  call(agent: AgentName, number: number): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
    return JSON.parse(readFileSync(join(this.#folder(agent), String(number), "call.json"), "utf8")) as ReturnType<OrderedScene["call"]>;
  }

  /** Registers the repository as `api` and files so many tasks in it. */
  async file({ client }: TestDaemon, count: number): Promise<void> {
    await client.registerProject({ body: { path: join(this.home.folder, "api"), name: "api" } });
    for (let number = 1; number <= count; number += 1) await client.createTask({ body: { project: "api", title: `Task ${number}` } });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.home[Symbol.asyncDispose]();
  }

  #folder(agent: AgentName): string {
    return join(this.home.folder, "orders", agent);
  }
}
