import { createHash } from "node:crypto";
import { AppError } from "../../base/errors.ts";
import type { RequestOf } from "../../contract/control.ts";
import type { Pass, PassResult, PrdPreview, PrdStatus } from "../../contract/prd.ts";
import type { Project } from "../../contract/project.ts";
import type { FiledTask } from "../../contract/routes.ts";
import type { Task } from "../../contract/task.ts";
import type { Workflow } from "../../contract/workflow.ts";
import { findingsOf, orderedTasks, previewPasses, wavesOf } from "../../domain/decomposition.ts";
import { estimateOf } from "../../domain/estimate.ts";
import { parametersOf } from "../../domain/workflow-parameters.ts";
import { readPrd } from "../../prd/read-prd.ts";
import { prdTemplates } from "../../prd/template.ts";
import { appendAudit } from "../../store/audit.ts";
import { listPasses, savePass } from "../../store/passes.ts";
import { listPastTasks } from "../../store/past-work.ts";
import { listRuns } from "../../store/runs.ts";
import { getTask, insertTask } from "../../store/tasks.ts";
import { toPassResult } from "../../workflow/pass-result.ts";
import { decompositionOf, prdOf } from "../passes.ts";
import { requireTestSetup } from "../tdd/gate.ts";
import { stageOf } from "../workflow-library.ts";
import { audited, requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names = "getPrdTemplate" | "previewPrd" | "runPrd" | "getPrd" | "changePass";

/** The workflow of the tasks that a PRD comes to. */
const TASK_WORKFLOW = "tdd";

/** PRDs: looking at what one would come to, having it built, and what its decomposition came to. */
export function prdVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  return {
    getPrdTemplate: ({ query }) => prdTemplates[query.format],
    previewPrd: ({ body }) => preview(parts, body),
    runPrd: (request) => filePrd(parts, request),
    getPrd: ({ params }) => statusOf(parts, requireTask(reader, params.task)),
    changePass: (request) => changePass(parts, request),
  };
}

function preview(parts: ControlParts, { project: named, file, text }: RequestOf<"previewPrd">["body"]): PrdPreview {
  const { reader } = parts.database;
  const prd = readPrd(file, text);
  const passes = previewPasses(prd);
  const tasks = tasksOf(passes);
  const project = named === undefined ? undefined : requireProject(reader, named);
  const own = project === undefined ? [] : listPastTasks(reader, TASK_WORKFLOW, project.id);
  const past = own.length >= PAST_WANTED ? own : listPastTasks(reader, TASK_WORKFLOW);
  return { prd, passes, waves: wavesOf(tasks), estimate: estimateOf(tasks, workersOf(parts, project), past) };
}

/** With fewer tasks of its own, a project learns from those of all. */
const PAST_WANTED = 5;

/** How many tasks of a PRD are worked on at once. */
function workersOf({ settings }: ControlParts, project: Project | undefined): number {
  const { daemon, defaults } = settings.current();
  const own = project === undefined ? defaults : settings.forProject(project).defaults;
  return Math.min(daemon.maxProcesses, own.maxProcesses, own.tddProcesses);
}

async function filePrd(parts: ControlParts, { body, actor }: RequestOf<"runPrd">): Promise<FiledTask> {
  const { reader } = parts.database;
  const prd = readPrd(body.file, body.text);
  const project = requireProject(reader, body.project);
  const { defaults } = parts.settings.forProject(project);
  const { workflow } = parts.workflows.inForce(project.id, body.workflow);
  refuseUnready(parts, project, workflow);
  const text = JSON.stringify(prd, null, 2);
  const key = `prd:${createHash("sha256")
    .update(JSON.stringify([workflow.name, text]))
    .digest("hex")}`;
  return parts.database.write((tx) => {
    const { task, created } = insertTask(
      tx,
      {
        projectId: project.id,
        title: prd.title,
        body: text,
        source: { kind: actor.startsWith("cli") ? "cli" : "api", key, issue: null, url: null, actor },
        workflow: workflow.name,
        stage: workflow.stages[0]?.name ?? "",
        parameters: parametersOf(workflow, {}),
        delivery: body.delivery,
        priority: body.priority ?? defaults.priority,
        deadlineAt: null,
        dependsOn: [],
        parentId: null,
        attemptMax: defaults.retryAttempts,
        draft: false,
      },
      { queued: parts.settings.current().daemon.queueMax },
    );
    if (created) appendAudit(tx, { actor, action: "prd.run", subject: project.name, detail: { title: prd.title, key } });
    return { ...task, created };
  });
}

/**
 * Nothing but checks shows that all is green, only a workflow with passes makes tasks of a PRD, and these would fail at their first gate, after
 * the passes were paid for, where it is not known how the tests are run.
 */
function refuseUnready({ settings, workflows }: ControlParts, project: Project, workflow: Workflow): void {
  const config = settings.forProject(project);
  if (config.checks.length === 0) {
    throw new AppError(
      "conflict",
      `${project.name} has no checks, so nothing could show that all is green. Say how its tests are run: set \`checks\` in its .drover/config.yaml.`,
    );
  }
  const last = workflow.stages.find(({ pass, yields }) => pass === "order" && yields === "tasks");
  if (last === undefined)
    throw new AppError(
      "invalid",
      `The workflow ${workflow.name} makes no tasks of a PRD. Use prd, prd-approved, or one that extends them.`,
    );
  const built = workflows.inForce(project.id, last.children ?? TASK_WORKFLOW).workflow;
  if (built.stages.some(({ gate }) => gate !== null)) requireTestSetup({ config, project });
}

function statusOf(parts: ControlParts, task: Task): PrdStatus {
  const { reader } = parts.database;
  const kept = new Map(listPasses(reader, task.id).map((one) => [one.pass, one]));
  const runs = listRuns(reader, { taskId: task.id, limit: 100 }).toReversed();
  const passes = parts.workflows.of(task).stages.flatMap(({ name, pass }): Pass[] => {
    if (pass === null) return [];
    const { result = null, by = null, at = null } = kept.get(pass) ?? {};
    const findings = runs.flatMap(({ stage, outcome }) =>
      stage === name && outcome?.status === "failed" && outcome.reason === "check_failed" ? [outcome.message] : [],
    );
    return [{ pass, by, at, findings, result }];
  });
  return { task, prd: prdOf(task), passes, waves: wavesOf(tasksOf(passes)) };
}

/** The tasks that the passes come to so far. */
function tasksOf(passes: readonly Pass[]) {
  const results = Object.fromEntries(passes.flatMap(({ pass, result }) => (result === null ? [] : [[pass, result]])));
  return results["order"] === undefined ? orderedTasks(results) : (results["order"] as { tasks: ReturnType<typeof orderedTasks> }).tasks;
}

async function changePass(parts: ControlParts, { params, body, actor }: RequestOf<"changePass">): Promise<PrdStatus> {
  const { reader } = parts.database;
  const { id, key } = requireTask(reader, params.task);
  const { pass } = params;
  await audited(parts, { actor, action: "prd.change", subject: key, detail: { pass } }, (tx) => {
    const task = getTask(tx, id);
    if (task.status !== "blocked" || task.reason !== "approval" || stageOf(parts.workflows.of(task, tx), task.stage).pass !== pass)
      throw new AppError(
        "conflict",
        `The pass ${pass} of ${key} does not wait for approval, so it can't be changed: the task is ${task.status}.`,
      );
    const result: PassResult = toPassResult(pass, body.result);
    const findings = findingsOf(pass, prdOf(task), decompositionOf(tx, task), result);
    if (findings.length > 0) throw new AppError("invalid", `The pass ${pass} of ${key} can't be this:\n${findings.join("\n")}`);
    savePass(tx, id, { pass, result, by: actor });
  });
  return statusOf(parts, requireTask(reader, id));
}
