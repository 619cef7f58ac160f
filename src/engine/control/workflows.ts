import { AppError } from "../../base/errors.ts";
import type { ProjectId } from "../../contract/ids.ts";
import type { WorkflowVersion } from "../../contract/workflow.ts";
import { listProjects } from "../../store/projects.ts";
import { listVersions, rollBackWorkflow, type StoredWorkflow } from "../../store/workflows.ts";
import { sampleData } from "../../workflow/prompt.ts";
import { stageOf } from "../workflow-library.ts";
import { audited, requireProject, type ControlParts, type Verbs } from "./scope.ts";

type Names = "listWorkflows" | "getWorkflow" | "getWorkflowText" | "writeWorkflow" | "renderWorkflow" | "rollBackWorkflow";

const VERSIONS_MAX = 50;

/** The workflows: what is in force, its versions, and going back to an earlier one. */
export function workflowVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;
  const idOf = (project: string | undefined): ProjectId | null => (project === undefined ? null : requireProject(reader, project).id);
  const versionsOf = ({ projectId, name }: StoredWorkflow) => listVersions(reader, { projectId, name }, VERSIONS_MAX);

  return {
    listWorkflows: ({ query }) => ({ items: parts.workflows.list(idOf(query.project)).map(toVersion) }),

    getWorkflow({ params, query }) {
      const found = parts.workflows.inForce(idOf(query.project), params.workflow);
      return {
        ...toVersion(found),
        versions: versionsOf(found).map(headOf),
      };
    },

    getWorkflowText({ params }) {
      const found = parts.edits.readWorkflow(params.workflow);
      if (!found) throw new AppError("not_found", `There is no workflow ${JSON.stringify(params.workflow)} for all projects.`);
      return found;
    },

    async writeWorkflow({ params, body, actor }) {
      const file = parts.edits.writeWorkflow(params.workflow, body.text);
      await parts.workflows.refresh(listProjects(reader));
      await audited(parts, { actor, action: "workflow.write", subject: params.workflow, detail: { file } }, () => undefined);
      return toVersion(parts.workflows.inForce(null, params.workflow));
    },

    renderWorkflow({ params, query }) {
      const { workflow } = parts.workflows.inForce(idOf(query.project), params.workflow);
      const stage = query.stage === undefined ? workflow.stages[0] : stageOf(workflow, query.stage);
      if (!stage) throw new AppError("invalid", `The workflow ${workflow.name} has no stages.`);
      return parts.renderPrompt(workflow, stage.prompt, sampleData(workflow, workflow.stages.indexOf(stage), true));
    },

    async rollBackWorkflow({ params, body, actor }) {
      const current = parts.workflows.inForce(idOf(body.project), params.workflow);
      const versions = versionsOf(current);
      const to = versions.find(({ version }) => version === (body.version ?? current.version - 1));
      if (!to) throw new AppError("not_found", `The workflow ${current.name} has no version ${body.version ?? current.version - 1}.`);
      const detail = { from: current.version, to: to.version };
      await audited(parts, { actor, action: "workflow.rollback", subject: current.name, detail }, (tx) =>
        rollBackWorkflow(tx, current, to),
      );
      return { ...toVersion(to), inForce: true };
    },
  };
}

function toVersion({ project, name, version, file, workflow, acceptedAt, inForce }: StoredWorkflow): WorkflowVersion {
  return { project, name, version, file, workflow, acceptedAt, inForce };
}

/** A version without what it says. */
function headOf({ project, name, version, file, acceptedAt, inForce }: StoredWorkflow): Omit<WorkflowVersion, "workflow"> {
  return { project, name, version, file, acceptedAt, inForce };
}
