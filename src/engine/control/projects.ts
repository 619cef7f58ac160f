import { basename } from "node:path";
import { AppError } from "../../base/errors.ts";
import { slug } from "../../base/text.ts";
import type { ForgeKind, Project } from "../../contract/project.ts";
import type { ProjectStatus } from "../../contract/routes.ts";
import { tellEnded } from "../../publish/ended.ts";
import { changeProject, findProject, insertProject, listProjects, removeProject } from "../../store/projects.ts";
import { countTasks, listBegun } from "../../store/tasks.ts";
import { inspectRepository, type InspectedRepository } from "../../workspace/inspect.ts";
import { audited, requireProject, type ControlParts, type Verbs } from "./scope.ts";

type Names =
  | "listProjects"
  | "registerProject"
  | "getProject"
  | "changeProject"
  | "unregisterProject"
  | "pollProject"
  | "receiveGithubWebhook";

/** The registry. */
export function projectVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  function status(project: Project): ProjectStatus {
    return {
      ...project,
      counts: countTasks(reader, project.id),
      configError: parts.settings.error(project),
      credentials: credentials(project),
    };
  }

  function credentials(project: Project): ProjectStatus["credentials"] {
    if (project.forge === "local") return "not_needed";
    return parts.settings.secret(parts.settings.forProject(project).github.tokenVariable) ? "present" : "missing";
  }

  return {
    listProjects({ query }) {
      const items = listProjects(reader, query).map(status);
      return { items, next: items.length === query.limit ? (items.at(-1)?.name ?? null) : null };
    },

    async registerProject({ body, actor }) {
      const found = await inspectRepository(body.path, { home: parts.paths.home, env: parts.settings.environment([]), clock: parts.clock });
      const name = body.name ?? freeName(parts, basename(found.path));
      const draft = { path: found.path, name, remote: found.remote ?? found.path, baseBranch: found.baseBranch };
      const forge = forgeFor(parts, draft, found);
      const project = await audited(
        parts,
        { actor, action: "project.register", subject: name, detail: { path: found.path, ...forge } },
        (tx) => insertProject(tx, { ...draft, ...forge, priority: body.priority ?? 50, weight: body.weight ?? 1, enabled: true }),
      );
      // Its tasks may name its own workflows at once, before a look at all folders comes to it.
      await parts.workflows.refresh([project]);
      return status(project);
    },

    getProject: ({ params }) => status(requireProject(reader, params.project)),

    async changeProject({ params, body, actor }) {
      const { id, name } = requireProject(reader, params.project);
      const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      return status(
        await audited(parts, { actor, action: "project.change", subject: name, detail: change }, (tx) => changeProject(tx, id, change)),
      );
    },

    async unregisterProject({ params, actor }) {
      const project = requireProject(reader, params.project);
      const last = status(project);
      await audited(parts, { actor, action: "project.unregister", subject: project.name }, (tx) => {
        const begun = listBegun(tx, project.id);
        removeProject(tx, project.id);
        tellEnded(tx, begun);
      });
      return { ...last, enabled: false };
    },

    pollProject: ({ params, signal }) => parts.pollProject(requireProject(reader, params.project), signal),

    async receiveGithubWebhook(request) {
      return { accepted: await parts.receiveWebhook(requireProject(reader, request.params.project), request) };
    },
  };
}

/** Where a project's issues live: what its configuration says, else GitHub when its remote is there. */
function forgeFor(
  parts: ControlParts,
  draft: Pick<Project, "path" | "name" | "remote" | "baseBranch">,
  found: InspectedRepository,
): Pick<Project, "forge" | "repository" | "baseBranch" | "remote"> {
  const config = parts.settings.forProject({ ...draft } as Project);
  const repository = config.github.repository ?? found.githubRepository;
  const forge: ForgeKind = config.intake.forge ?? (repository === null ? "local" : "github");
  if (forge === "github" && repository === null) {
    throw new AppError("invalid", `${found.path} has no remote on GitHub. Set github.repository to owner/name in its .drover/config.yaml.`);
  }
  const baseBranch = config.defaults.baseBranch ?? found.baseBranch;
  // Without a service the person's own repository is where branches come from and go to, whatever remote it has.
  return forge === "local"
    ? { forge, repository: null, baseBranch, remote: found.path }
    : { forge, repository, baseBranch, remote: draft.remote };
}

function freeName(parts: ControlParts, folder: string): string {
  const name = slug(folder);
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name.slice(0, 36)}-${count}`;
    if (!findProject(parts.database.reader, candidate)) return candidate;
  }
}
