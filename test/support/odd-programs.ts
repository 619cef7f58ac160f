import { existsSync, readdirSync, readFileSync, statSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Event } from "../../src/contract/event.ts";
import type { IsolationName } from "../../src/contract/isolation.ts";
import type { TaskDetail } from "../../src/contract/routes.ts";
import type { TestDaemon, TestHome } from "./daemon.ts";
import { PROGRAMS } from "./held-command.ts";
import { git } from "./repository.ts";

/** Projects that differ by how long their agents may work, or be silent. */
export const projects = { usual: {}, short: { runTimeoutMs: 10_000 }, impatient: { timeout: 4_000 } } as const;

/** Where a program of the table has done its task. */
export interface Scene {
  readonly home: TestHome;
  readonly daemon: TestDaemon;
  readonly isolation: IsolationName;
  readonly isConfined: boolean;
  /** A folder that no task may touch, with `kept.txt` in it. */
  readonly outside: string;
  /** The most that the output of one run took of the disk, bytes. */
  readonly outputPeak: () => number;
}

interface OddProgram {
  readonly project: keyof typeof projects;
  /** For sh, in the workspace. */
  readonly order: (outside: string) => string;
  /** While it works. */
  readonly meanwhile?: (scene: Scene, key: string) => Promise<unknown>;
  readonly becomes: readonly [status: TaskDetail["status"], reason: string | null];
  readonly also?: (scene: Scene, task: TaskDetail) => Promise<void> | void;
}

export const SECRET_VARIABLE = "ODD_SECRET";
export const SECRET = "a-secret-of-the-person-4711";
/** Of `logging.runOutputMaxMB`. */
export const OUTPUT_MAX_MB = 8;
export const MEMORY_MB = 200;

const DONE = `echo '{"type":"turn_ended","verdict":{"ok":true},"report":"Done."}'`;
const WORK = "echo work >work.txt";
const sh = (name: string, ...words: string[]) => ["sh", join(PROGRAMS, name), ...words.map((word) => `'${word}'`)].join(" ");
/** This machine's own, or where there is another one inside, that. */
const NODE = `$([ -x '${process.execPath}' ] && echo '${process.execPath}' || echo node)`;

/** Programs that agents could be, or start, and what has to become of a task whose agent is one. */
export const oddPrograms: Readonly<Record<string, OddProgram>> = {
  "ignores SIGTERM": {
    project: "usual",
    order: () => `${WORK}; exec ${sh("ignores-sigterm.sh")}`,
    meanwhile: async ({ daemon }, key) => {
      const { id } = await daemon.taskWith(key, "running");
      await daemon.until((event) => event.type === "run.message" && event.taskId === id && event.data.text === "ready");
      await daemon.client.cancelTask({ params: { task: key } });
    },
    becomes: ["cancelled", "user"],
  },
  "forks and exits": {
    project: "usual",
    order: () => `${WORK}; ${sh("forks-and-exits.sh")}; ${DONE}`,
    becomes: ["succeeded", null],
    also: hasChanged("work.txt"),
  },
  "floods its output": {
    project: "short",
    order: () => `${WORK}; ${sh("floods-stdout.sh", String(10 * 1024))}; ${DONE}`,
    becomes: ["failed", "timed_out"],
    also: ({ home, outputPeak }) => {
      // What waits to be read, and what is written while its work is saved before it is ended: seconds, on a busy machine.
      expect(outputPeak()).toBeLessThan(5 * 2 ** 30);
      expect(outputOnDisk(home)).toBeLessThanOrEqual(OUTPUT_MAX_MB * 2 ** 20);
    },
  },
  "says more than is kept": {
    project: "usual",
    order: () => `${WORK}; seq 12000; ${DONE}`,
    becomes: ["succeeded", null],
    also: async ({ daemon }, task) => {
      const said = await messagesOf(daemon, task);
      // The session that it said is one of 10,000.
      expect([said.length, said.at(-1)]).toEqual([9_999, expect.stringMatching(/^\[It has said 10000 things/u)]);
      expect(task.runs[0]?.outcome).toMatchObject({ report: "Done." });
    },
  },
  "prints what is no text": {
    project: "usual",
    order: () => `${WORK}; ${sh("prints-binary.sh")}; ${DONE}`,
    becomes: ["succeeded", null],
    also: async ({ daemon }, task) => {
      const wanted = ['{"type":"turn_ended"', "null"];
      expect((await messagesOf(daemon, task)).filter((text) => wanted.includes(text))).toEqual(wanted);
    },
  },
  "plays with terminals": {
    project: "usual",
    order: () => `${WORK}; ${sh("plays-with-terminals.sh")}; ${DONE}`,
    becomes: ["succeeded", null],
    also: async ({ daemon }, task) => {
      const said = (await messagesOf(daemon, task)).join("\n");
      expect(said).toContain("red");
      expect(said).not.toMatch(/[[\p{Cc}\p{Bidi_Control}]--\n]/v);
    },
  },
  "asks for input": {
    project: "impatient",
    order: () => `${WORK}; exec ${sh("asks-for-input.sh")}`,
    becomes: ["failed", "stalled"],
    also: async ({ daemon }, task) => expect(await messagesOf(daemon, task)).not.toContain("There is a terminal."),
  },
  "allocates without end": {
    project: "usual",
    order: () => `${WORK}; echo go | ${NODE} '${join(PROGRAMS, "allocates.ts")}'`,
    becomes: ["failed", "memory"],
  },
  "spins a processor": {
    project: "short",
    order: () => `${WORK}; exec ${sh("spins.sh")}`,
    becomes: ["failed", "timed_out"],
  },
  "prints secrets": {
    project: "usual",
    order: () => `${WORK}; ${sh("prints-secrets.sh", SECRET_VARIABLE)}`,
    becomes: ["succeeded", null],
    also: async ({ home, daemon }, task) => {
      const [run] = task.runs;
      const shown = [task, await eventsOf(daemon, task), await outputOf(daemon, run?.id ?? "")].map((one) => JSON.stringify(one));
      const logs = filesIn(join(home.home, "logs")).map((file) => readFileSync(file, "utf8"));
      const request = filesIn(join(home.folder, "usual", ".drover")).map((file) => readFileSync(file, "utf8"));
      for (const text of [...shown, ...logs, ...request]) {
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain(Buffer.from(SECRET).toString("base64").replace(/=+$/u, ""));
      }
      expect(shown[1]).toContain("[redacted]");
      expect(run?.outcome).toMatchObject({ report: "It is [redacted]." });
    },
  },
  "changes the git configuration": {
    project: "usual",
    order: (outside) => `${sh("changes-git-config.sh", join(outside, "fired"))}; ${DONE}`,
    becomes: ["succeeded", null],
    also: ({ home, outside }, task) => {
      expect(existsSync(join(outside, "fired"))).toBe(false);
      expect(git(join(home.folder, "usual"), "log", "-1", "--format=%an %cn", task.branch ?? "")).not.toContain("Mallory");
      expect(git(join(home.folder, "usual"), "show", `${task.branch}:.gitattributes`)).toBe("* filter=x diff=x");
    },
  },
  "links out of its workspace": {
    project: "usual",
    order: (outside) => `${sh("links-out.sh", outside)}; ${DONE}`,
    becomes: ["succeeded", null],
    also: ({ home, outside }, task) => {
      const modes = git(join(home.folder, "usual"), "ls-tree", task.branch ?? "", "folder", "file.txt", "passwd", "circle", "nowhere");
      expect(modes.split("\n").map((line) => line.split(" ")[0])).toEqual(Array.from({ length: 5 }, () => "120000"));
      expect(readFileSync(join(outside, "kept.txt"), "utf8")).toBe("kept\n");
    },
  },
  "writes outside its workspace": {
    project: "usual",
    order: (outside) => `${WORK}; ${sh("writes-outside.sh", join(outside, "target"))}; ${DONE}`,
    becomes: ["succeeded", null],
    also: async ({ daemon, outside, isConfined }, task) => {
      expect(readdirSync(join(outside, "target")).toSorted()).toEqual(isConfined ? [] : ["direct", "linked"]);
      const said = isConfined ? ["could not write direct", "could not write linked"] : ["wrote direct", "wrote linked"];
      expect(await messagesOf(daemon, task)).toEqual(expect.arrayContaining(said));
    },
  },
};

function hasChanged(...files: string[]) {
  return ({ home }: Scene, { branch }: TaskDetail) =>
    expect(git(join(home.folder, "usual"), "diff", "--name-only", "main", branch ?? "").split("\n")).toEqual(files);
}

async function eventsOf({ client }: TestDaemon, { id }: TaskDetail): Promise<Event[]> {
  const events: Event[] = [];
  let after: string | null | undefined;
  do {
    const page = await client.listEvents({ query: { task: id, limit: 500, ...(after ? { after } : {}) } });
    events.push(...page.items);
    after = page.next;
  } while (after !== null);
  return events;
}

async function messagesOf(daemon: TestDaemon, task: TaskDetail): Promise<string[]> {
  return (await eventsOf(daemon, task)).flatMap((event) => (event.type === "run.message" ? [event.data.text] : []));
}

async function outputOf({ client }: TestDaemon, run: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of client.getRunOutput({ params: { run }, query: { raw: true } })) texts.push(text);
  return texts;
}

function filesIn(folder: string): string[] {
  const isFile = (entry: Dirent) => entry.isFile();
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(isFile)
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What the biggest output of a run takes of the disk now, bytes. */
export function outputOnDisk({ home }: TestHome): number {
  const outputs = existsSync(join(home, "runs")) ? filesIn(join(home, "runs")).filter((file) => file.endsWith("/agent/out")) : [];
  return Math.max(0, ...outputs.map((file) => statSync(file).blocks * 512));
}
