import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { homePaths } from "../../src/base/paths.ts";
import type { Project } from "../../src/contract/project.ts";
import type { Task } from "../../src/contract/task.ts";
import { createWorkspaces } from "../../src/workspace/git-workspaces.ts";

/** Saves or removes a workspace with the rights this process has, and prints the answer or what was wrong. */
const { action, home, project, task } = JSON.parse(process.argv[2] ?? "") as {
  action: "checkpoint" | "remove";
  home: string;
  project: Project;
  task: Task;
};
const env = { PATH: process.env["PATH"] ?? "", HOME: home };
const workspaces = createWorkspaces({ paths: homePaths(home), env, clock: systemClock, log: silentLog });
try {
  const answer =
    action === "remove" ? await workspaces.remove(project, task, 1) : await workspaces.checkpoint(project, task, "agent_ended", 1);
  console.log(JSON.stringify(answer ?? null));
} catch (error) {
  console.log(JSON.stringify({ message: String(error) }));
}
