import type { Checkpoint } from "../contract/task.ts";
import { safeLine } from "../base/text.ts";
import type { Repository } from "./repository.ts";

/** Where everything of a task is kept. */
export function taskRefs(taskId: string): string {
  return `refs/drover/tasks/${taskId}`;
}

/** A task's saved states, oldest first. */
export async function listCheckpoints(repository: Repository, taskId: string): Promise<Checkpoint[]> {
  const format = "--format=%(refname:lstrip=5) %(objectname) %(contents)%00";
  const entries = (await repository.print(["for-each-ref", format, `${taskRefs(taskId)}/checkpoints`])).split("\0\n");
  return entries.flatMap((entry) => (entry === "" ? [] : [toCheckpoint(entry)])).toSorted((a, b) => a.index - b.index);
}

/**
 * Saves a tree as the task's next checkpoint: one commit on top of the agent's own. The same tree on the same commit as
 * the last one's is that one.
 */
export async function makeCheckpoint(
  repository: Repository,
  taskId: string,
  { tree, parent, reason, at }: { tree: string; parent: string; reason: string; at: number },
): Promise<Checkpoint> {
  const last = (await listCheckpoints(repository, taskId)).at(-1);
  if (last && (await isSame(repository, last, tree, parent))) return last;
  const subject = safeLine(reason, 100);
  const message = `${subject}\n\nEverything in a workspace, uncommitted files too.\n\nTask: ${taskId}\nAt: ${at}\n`;
  const commit = await repository.commit(tree, parent, message, at);
  const index = (last?.index ?? 0) + 1;
  await repository.setRef(`${taskRefs(taskId)}/checkpoints/${index}`, commit);
  return { index, commit, at, reason: subject };
}

async function isSame(repository: Repository, { commit }: Checkpoint, tree: string, parent: string): Promise<boolean> {
  const line = await repository.print(["show", "--no-patch", "--format=%T %P", "--end-of-options", commit]);
  return line.trim() === `${tree} ${parent}`;
}

function toCheckpoint(entry: string): Checkpoint {
  const [, index, commit = "", reason = ""] = /^(\d+) ([0-9a-f]+) (.*)/.exec(entry) ?? [];
  return { index: Number(index), commit, at: Number(/^At: (\d+)$/m.exec(entry)?.[1]), reason };
}
