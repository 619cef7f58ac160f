import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { AppError, messageOf } from "../base/errors.ts";

/** One step of a workflow, carried out by runs until one succeeds. */
const Stage = z.strictObject({
  name: z.string().min(1),
  /** The template of its prompt, a file of `prompts/`. */
  prompt: z.string(),
  /** The template for an attempt that goes on in the session of one whose checks failed; null: it begins anew. */
  followUp: z.string().nullable(),
  /** `commit`: a changed tree that passes the checks. `report`: the agent's last message; the tree is not taken. */
  yields: z.enum(["commit", "report"]),
});
export type Stage = z.infer<typeof Stage>;

/** How a kind of task is done. */
const Workflow = z.strictObject({ name: z.string().min(1), stages: z.tuple([Stage]) });
export type Workflow = z.infer<typeof Workflow>;

/** Reads the workflows that come with Drover, by name. Throws `internal` for a file that is not one. */
export function readWorkflows(): ReadonlyMap<string, Workflow> {
  const files = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(".yaml"))
    .toSorted();
  return new Map(files.map((file) => readWorkflow(join(import.meta.dirname, file))).map((one) => [one.name, one]));
}

/** The stage of a workflow. Throws `invalid` when there is no such workflow or stage. */
export function findStage(workflows: ReadonlyMap<string, Workflow>, workflow: string, stage: string): Stage {
  const found = workflows.get(workflow)?.stages.find((one) => one.name === stage);
  if (found) return found;
  const known = [...workflows.values()].flatMap((one) => one.stages.map((each) => `${one.name}/${each.name}`));
  throw new AppError("invalid", `There is no workflow stage ${workflow}/${stage}. There is: ${known.join(", ")}.`);
}

function readWorkflow(file: string): Workflow {
  try {
    return Workflow.parse(parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new AppError("internal", `${file} is not a workflow: ${messageOf(cause)}`, { cause });
  }
}
