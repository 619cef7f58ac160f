import { delimiter, dirname, join } from "node:path";
import { buildBundle, isBundleFresh } from "../../src/cli/dashboard-bundle.ts";
import { TestHome, type TestDaemon } from "./daemon.ts";
import { makeRepository, writeFiles } from "./repository.ts";
import { sumCheck, sumProject } from "./sum-project.ts";

/** What somebody may write into an issue to do more than to be read: markup, a terminal's sequences, and a turn of direction. */
export const HOSTILE_TITLE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>\u001b[31mred\u001b[2J \u202eneddih`;

const program = (name: string) => ["sh", join(import.meta.dirname, "../programs", name)];
const defaults = (agent: string) => ({ ".drover/config.yaml": `version: 1\ndefaults: { agent: ${agent} }\n` });

/** A home with four projects, each with an agent of its own: one mends what is asked, one asks a person, one works for ever, one fails. */
export async function openDashboardWorld(config: { daemon?: Record<string, unknown> } = {}): Promise<TestHome> {
  if (!isBundleFresh()) await buildBundle();
  const home = await TestHome.make({
    agents: {
      mender: { driver: "command", command: program("mends-sum.sh") },
      ada: { driver: "human" },
      patient: { driver: "command", command: program("waits.sh") },
      broken: { driver: "command", command: ["sh", "-c", "exit 3"] },
    },
    defaults: { agent: "mender", retryAttempts: 1, retryDelayMs: 1 },
    daemon: { maxProcesses: 4, ...config.daemon },
    checks: [sumCheck],
  });
  // Without the real agents beside our own Node.js, which would be asked for their versions.
  const places = (process.env["PATH"] ?? "").split(delimiter).filter((place) => !place.includes("node_modules"));
  home.env["PATH"] = [dirname(process.execPath), ...places].join(delimiter);
  writeFiles(home.home, {
    "workflows/careful.yaml":
      "name: careful\ndescription: A person approves what the agent says.\nstages:\n  - { name: think, prompt: Say what you would do., yields: report, approval: true }\n",
  });
  makeRepository(join(home.folder, "api"), { files: sumProject });
  makeRepository(join(home.folder, "web"), { files: defaults("ada") });
  makeRepository(join(home.folder, "docs"), { files: defaults("patient") });
  makeRepository(join(home.folder, "shop"), { files: defaults("broken") });
  return home;
}

/** Registers the projects and has one task come to each end: done with a pull request, asked, approved, at work, failed, held. */
export async function fillDashboardWorld(home: TestHome, daemon: TestDaemon): Promise<void> {
  const { client } = daemon;
  for (const name of ["api", "web", "docs", "shop"]) await client.registerProject({ body: { path: join(home.folder, name) } });
  const file = (project: string, title: string, more: { workflow?: string; dependsOn?: string[]; priority?: number } = {}) =>
    client.createTask({ body: { project, title, body: `${title}, please.`, ...more } });
  await file("api", "Sum subtracts");
  await daemon.settledTask("api#1");
  await Promise.all([
    file("web", "Choose the colour of the start page").then(({ id }) =>
      daemon.until(({ type, taskId }) => type === "run.question_asked" && taskId === id),
    ),
    file("shop", "Take payments in euros").then(({ id }) => daemon.taskWith(id, "failed")),
    file("docs", "Write the guide for newcomers").then(({ id }) =>
      daemon.until(({ type, taskId }) => type === "run.agent_started" && taskId === id),
    ),
    file("api", "Plan the new storage", { workflow: "careful" }).then(({ id }) => daemon.taskWith(id, "blocked")),
  ]);
  await client.changeQueue({ body: { paused: true } });
  await file("api", "Answer 404 for an unknown order", { priority: 70 });
  await file("api", "Log what a request took", { dependsOn: ["api#3"] });
  await file("web", HOSTILE_TITLE, { priority: 60 });
}
