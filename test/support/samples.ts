import { Config, type ProjectConfig } from "../../src/contract/config.ts";
import type { Project } from "../../src/contract/project.ts";
import { newId } from "../../src/base/ids.ts";

/** A registered project; only what matters to the test is given. */
export function sampleProject(change: Partial<Project> = {}): Project {
  return {
    id: newId("project"),
    name: "sample",
    path: "/nowhere",
    forge: "github",
    repository: "acme/api",
    remote: "https://github.com/acme/api.git",
    baseBranch: "main",
    priority: 50,
    weight: 1,
    enabled: true,
    registeredAt: 0,
    polledAt: null,
    lastError: null,
    ...change,
  };
}

/** The defaults, with some sections changed. */
export function sampleConfig(change: { [Section in keyof ProjectConfig]?: Partial<ProjectConfig[Section]> } = {}): ProjectConfig {
  const { project, github, intake, defaults, supervision, prompts, workspace, docker, sandbox, checks } = Config.parse({});
  return {
    project: { ...project, ...change.project },
    github: { ...github, ...change.github },
    intake: { ...intake, ...change.intake },
    defaults: { ...defaults, ...change.defaults },
    supervision: { ...supervision, ...change.supervision },
    prompts: { ...prompts, ...change.prompts },
    workspace: { ...workspace, ...change.workspace },
    docker: { ...docker, ...change.docker },
    sandbox: { ...sandbox, ...change.sandbox },
    checks: change.checks === undefined ? checks : (change.checks as ProjectConfig["checks"]),
  };
}
