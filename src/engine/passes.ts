import { AppError } from "../base/errors.ts";
import type { PassName, PassResults, Prd, TestedTask } from "../contract/prd.ts";
import type { RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Stage, Workflow } from "../contract/workflow.ts";
import { findingsOf, orderedTasks, requirementsOf, type Decomposition } from "../domain/decomposition.ts";
import { readFiledPrd } from "../prd/read-prd.ts";
import type { Reader, Transaction } from "../store/database.ts";
import { listPasses, savePass } from "../store/passes.ts";
import { readPassResult } from "../workflow/pass-result.ts";

/** The PRD that a task was filed with. Throws `invalid` for a task that has none. */
export function prdOf({ key, body }: Pick<Task, "key" | "body">): Prd {
  try {
    return readFiledPrd(body);
  } catch (cause) {
    throw new AppError("invalid", `${key} holds no PRD. File one with: drover prd run FILE`, { cause });
  }
}

export function decompositionOf(reader: Reader, { id }: Pick<Task, "id">): Decomposition {
  return Object.fromEntries(listPasses(reader, id).map(({ pass, result }) => [pass, result]));
}

/** Why a report does not give a pass as it should, for the agent that wrote it; undefined: it does. */
export function whyNoPass(reader: Reader, task: Task, pass: PassName, report: string): string | undefined {
  try {
    const findings = findingsOf(pass, prdOf(task), decompositionOf(reader, task), readPassResult(pass, report));
    return findings.length === 0 ? undefined : findings.join("\n");
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "invalid") return thrown.message;
    throw thrown;
  }
}

/** Keeps what a stage that is a pass came to. */
export function keepPass(tx: Transaction, task: Task, { pass }: Pick<Stage, "pass">, outcome: RunOutcome): void {
  if (pass === null || outcome.status !== "no_change") return;
  const by = outcome.report.startsWith(NOTHING_TO_MEND) ? "structure" : "agent";
  savePass(tx, task.id, { pass, result: readPassResult(pass, outcome.report), by });
}

const NOTHING_TO_MEND = "The order, the sizes and the coverage are as they must be.";

/** What the last pass comes to where there is nothing to mend in those before: then no agent is needed. */
export function orderOfPasses(reader: Reader, task: Task): RunOutcome | undefined {
  const { findings, result } = proposedOrder(reader, task);
  if (findings.length > 0) return undefined;
  return { status: "no_change", report: `${NOTHING_TO_MEND}\n\n\`\`\`yaml\n${JSON.stringify(result, null, 2)}\n\`\`\`\n` };
}

/** What the passes before leave to mend for the last one, for its agent; null: it is not the last, or there is nothing. */
export function leftToMend(reader: Reader, task: Task, { pass }: Pick<Stage, "pass">): string | null {
  return pass === "order" ? proposedOrder(reader, task).findings.join("\n") || null : null;
}

function proposedOrder(reader: Reader, task: Task): { readonly findings: readonly string[]; readonly result: PassResults["order"] } {
  const before = decompositionOf(reader, task);
  const result = { tasks: orderedTasks(before) };
  return { findings: findingsOf("order", prdOf(task), before, result), result };
}

/** What the passes came to, as text for the prompts of later stages, by the names of their stages. */
export function passOutputs(reader: Reader, task: Task, { stages }: Workflow): Record<string, string> {
  const kept = decompositionOf(reader, task);
  return Object.fromEntries(
    stages.flatMap(({ name, pass }) => (pass === null || kept[pass] === undefined ? [] : [[name, JSON.stringify(kept[pass], null, 2)]])),
  );
}

/** What is filed for a task of a decomposition. `acceptance` is the text of its acceptance tests. */
export interface PrdChild {
  readonly title: string;
  readonly body: string;
  /** Numbers of those before it in the list, from 1, that it needs. */
  readonly after: readonly number[];
  readonly acceptance: string;
}

/** The children that the last pass of a task's decomposition comes to, in their order. */
export function childrenOfPasses(reader: Reader, task: Task): PrdChild[] {
  const prd = prdOf(task);
  const tasks = decompositionOf(reader, task).order?.tasks ?? [];
  return tasks.map((one) => ({
    title: one.title,
    body: bodyOf(prd, one),
    after: one.after.map((id) => tasks.findIndex((other) => other.id === id) + 1),
    acceptance: list(one.acceptance),
  }));
}

function bodyOf(prd: Prd, { body, requirements }: TestedTask): string {
  const served = requirementsOf(prd).filter(({ id }) => requirements.includes(id));
  const parts = [
    body,
    `It serves, of "${prd.title}":\n\n${list(served.map(({ id, title, description }) => [`${id}: ${title}`, description].filter(Boolean).join("\n")))}`,
    prd.constraints.length > 0 && `What holds for all of it:\n\n${list(prd.constraints)}`,
    prd.outOfScope.length > 0 && `What is not wanted:\n\n${list(prd.outOfScope)}`,
  ];
  return parts.filter(Boolean).join("\n\n");
}

function list(texts: readonly string[]): string {
  return texts.map((text) => `- ${text.replaceAll("\n", "\n  ")}`).join("\n");
}
