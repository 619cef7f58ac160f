import { AppError } from "../../base/errors.ts";
import type { PromptData } from "../../workflow/prompt.ts";
import type { ForeignChange } from "../../workspace/foreign-change.ts";
import { MATERIAL, writeMaterial } from "../../workspace/material-folder.ts";
import type { Workspace } from "../../workspace/workspaces.ts";
import type { Job } from "../job.ts";
import type { EngineParts } from "../parts.ts";
import { factsOf, type MaterialFile } from "./facts.ts";
import { changeNamed, watchedAt } from "./watched.ts";

/** A change that a task is to look at, and what is known of its pull request. */
export interface Change extends ForeignChange {
  readonly name: string;
  readonly pull: { readonly number: number; readonly title: string; readonly body: string } | null;
}

const DIFF_MAX = 1_000_000;

/**
 * The change that the stage looks at, as it is now at the first stage and as it was then at the later ones. Null: the stage
 * looks at none. Throws `invalid` and `not_found` when there is no such change, `unavailable` when the forge does not answer.
 */
export async function findChange(parts: EngineParts, job: Job, signal: AbortSignal): Promise<Change | null> {
  const { project, task, config, stage, workflow } = job;
  if (stage.material !== "change") return null;
  const named = changeNamed(task);
  const forge = parts.forges[project.forge];
  const target = { project, config };
  const pull = "pull" in named ? await readPull(parts, job, named.pull, signal) : null;
  const name = pull ? `pull request ${pull.number}` : "branch" in named ? `branch ${named.branch}` : "";
  const known = stage === workflow.stages[0] ? undefined : await parts.branches.takenIn(project, task);
  const head = pull ? forge.headRef(pull) : "branch" in named ? `refs/heads/${named.branch}` : "";
  const refs = { head, base: `refs/heads/${pull?.base.ref ?? project.baseBranch}` };
  const change = known ?? (await parts.branches.takeIn(project, forge.credentials(target), task, refs, signal));
  return { ...change, name, pull: pull && { number: pull.number, title: pull.title, body: pull.body ?? "" } };
}

/** Puts before the agent what its stage says that it is to read. Returns what is there, for the prompt. */
export async function putMaterial(
  parts: EngineParts,
  job: Job,
  workspace: Pick<Workspace, "directory">,
  change: Change | null,
): Promise<PromptData["material"]> {
  const { stage, task } = job;
  if (stage.material === null) return [];
  const files = change ? filesOfChange(change) : await factsOf(parts, watchedAt(parts, parts.database.reader, task, stage));
  const texts = files.map(({ name, text }) => [name, parts.redact(text)] as const);
  await writeMaterial(workspace.directory, Object.fromEntries(texts));
  return files.map(({ name, about }) => ({ name: `${MATERIAL}/${name}`, about }));
}

async function readPull({ forges }: EngineParts, { project, config }: Job, number: number, signal: AbortSignal) {
  const reading = await forges[project.forge].read({ project, config }, { call: "pull", number }, null, signal);
  if (reading.changed && reading.answer.call === "pull") return reading.answer.value;
  throw new AppError("internal", `The forge of ${project.name} did not tell of pull request ${number}.`);
}

function filesOfChange({ name, baseCommit, headCommit, files, diff, pull }: Change): MaterialFile[] {
  const cut = diff.length > DIFF_MAX;
  const text = cut ? `${diff.slice(0, DIFF_MAX)}\n(cut here: look at the rest in the files)\n` : diff;
  return [
    {
      name: "change.json",
      about: `what the change is: ${name}, its base and head, the files that it touches, and what it says of itself`,
      text: `${JSON.stringify({ change: name, baseCommit, headCommit, files, pull }, null, 2)}\n`,
    },
    { name: "change.diff", about: `the change from its base to its head${cut ? ", cut, because it is long" : ""}`, text },
  ];
}
