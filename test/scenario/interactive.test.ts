import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { needs } from "../support/needs.ts";
import { git, makeRepository } from "../support/repository.ts";

vi.setConfig({ testTimeout: 480_000 });

const WITHIN = { timeout: 120_000, interval: 200 };
const talks = { driver: "command", command: ["sh", join(import.meta.dirname, "../programs/converses.sh")], interactive: true };

/** A home whose agent a person talks to; both limits of time are short, and none of a person's. */
async function openHome(agent: object = talks, isolation = "tmux"): Promise<TestHome> {
  const defaults = { agent: "talks", isolation, timeout: 1000, runTimeoutMs: 1000, retryAttempts: 1 };
  const home = await TestHome.make({ agents: { talks: agent }, defaults });
  makeRepository(join(home.folder, "api"));
  return home;
}

async function file(home: TestHome, { client }: TestDaemon): Promise<void> {
  await client.registerProject({ body: { path: join(home.folder, "api") } });
  await client.createTask({ body: { project: "api", title: "Talk", body: "Say what is to be done." } });
}

/** A person at a terminal of their own, who attaches as `drover agent attach` does. */
class Person implements Disposable {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async attach(home: TestHome, daemon: TestDaemon): Promise<Person> {
    const events = await daemon.until((event) => event.type === "run.question_asked");
    const { command } = await daemon.client.attachToRun({ params: { run: events.at(-1)?.runId ?? "" }, query: { readOnly: false } });
    const person = new Person(join(home.folder, "person"));
    person.#tmux("new-session", "-d", "-x", "150", "-y", "40", "--", "env", "-u", "TMUX", ...command);
    return person;
  }

  get screen(): string {
    return this.#tmux("capture-pane", "-p");
  }

  async sees(text: string): Promise<void> {
    const look = () => {
      if (!this.screen.includes(text)) throw new Error(`The screen does not show "${text}", but:\n${this.screen}`);
    };
    await vi.waitFor(look, WITHIN);
  }

  type(line: string): void {
    this.#tmux("send-keys", "-l", line);
    this.press("Enter");
  }

  press(key: string): void {
    this.#tmux("send-keys", key);
  }

  #tmux(...args: string[]): string {
    return execFileSync("tmux", ["-S", this.#socket, "-f", "/dev/null", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  [Symbol.dispose](): void {
    try {
      this.#tmux("kill-server");
    } catch {
      // It ended with what it was attached to.
    }
  }
}

describe.skipIf(!needs("tmux").ok)("an interactive agent", () => {
  test("takes what a person types in its window, over a restart of the daemon, and is done when it says so by its exit status", async () => {
    await using home = await openHome();
    const first = await home.start();
    await file(home, first);
    using person = await Person.attach(home, first);
    await person.sees("Say what is to be done.");
    person.type("write one");
    await person.sees("Wrote: write one");
    await first.kill();

    const second = await home.start();
    await second.until((event) => event.type === "run.adopted");
    person.press("C-c");
    await person.sees("Interrupted, and still here.");
    person.type("write two");
    await person.sees("Wrote: write two");
    const { state, questions } = (await second.client.getTask({ params: { task: "api#1" } })).runs[0] ?? {};
    expect([state?.state, questions?.map(({ tool }) => tool)]).toEqual(["waiting_answer", ["person"]]);
    person.type("bye 0");
    const task = await second.settledTask("api#1");
    expect([task.status, task.runs.map(({ outcome }) => outcome?.status)]).toEqual(["succeeded", ["succeeded"]]);
    expect(git(join(home.folder, "api"), "show", `${task.branch}:said.txt`)).toBe("write one\nwrite two");
    expect(await second.stop()).toBe(0);
    person[Symbol.dispose]();
    await expectNoProcesses(home);
  });

  test("has failed when it ends with another exit status, with its work kept", async () => {
    await using home = await openHome();
    const daemon = await home.start();
    await file(home, daemon);
    using person = await Person.attach(home, daemon);
    await person.sees("What next?");
    person.type("write one");
    person.type("bye 3");
    const task = await daemon.settledTask("api#1");
    expect([task.status, task.reason, task.message]).toEqual([
      "failed",
      "agent_error",
      "The agent's program ended with exit code 3 without a `turn_ended` line.",
    ]);
    expect(task.checkpoints.length).toBeGreaterThan(0);
  });

  test("is ended by a cancellation, with all that it started", async () => {
    await using home = await openHome();
    const daemon = await home.start();
    await file(home, daemon);
    using person = await Person.attach(home, daemon);
    await person.sees("What next?");
    await daemon.client.cancelTask({ params: { task: "api#1" } });
    expect((await daemon.settledTask("api#1")).status).toBe("cancelled");
    expect(await daemon.stop()).toBe(0);
    person[Symbol.dispose]();
    await expectNoProcesses(home);
  });
});

test.each([
  ["where no window is", talks, "process", "isolation_missing", /Agent talks is interactive.*Set defaults\.isolation to tmux/],
  ["that its driver has no form for", { driver: "human", interactive: true }, "process", "agent_missing", /its driver human has no form/],
])("an interactive agent %s fails its task with what to do", async (_, agent, isolation, reason, message) => {
  await using home = await openHome(agent, isolation);
  const daemon = await home.start();
  await file(home, daemon);
  expect(await daemon.settledTask("api#1")).toMatchObject({ status: "failed", reason, message: expect.stringMatching(message) as string });
});
