import type { Checkpoint } from "../contract/task.ts";
import { safeLine } from "../base/text.ts";
import type { Repository } from "./repository.ts";

/** Where everything of a task is kept. */
export function taskRefs(taskId: string): string {
  return `refs/drover/tasks/${taskId}`;
}

/** A task's saved states, oldest first. */
export async function listCheckpoints(repository: Repository, taskId: string): Promise<Checkpoint[]> {
  return (await listSaved(repository, taskId)).map(({ checkpoint }) => checkpoint);
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
  const last = (await listSaved(repository, taskId)).at(-1);
  if (last?.tree === tree && last.parent === parent) return last.checkpoint;
  const subject = safeLine(reason, 100);
  const message = `${subject}\n\nEverything in a workspace, uncommitted files too.\n\nTask: ${taskId}\nAt: ${at}\n`;
  const commit = await repository.commit(tree, parent, message, at);
  const index = (last?.checkpoint.index ?? 0) + 1;
  await repository.setRef(`${taskRefs(taskId)}/checkpoints/${index}`, commit);
  return { index, commit, at, reason: subject };
}

/** So many tasks' lists are kept. */
const LISTS_MAX = 500;

/** The lists that were asked for of late: clients ask for a task at each of its events, and git would be started for each. */
export class CheckpointLists {
  private readonly lists = new Map<string, Promise<Checkpoint[]>>();

  list(repository: Repository, taskId: string): Promise<Checkpoint[]> {
    const known = this.lists.get(taskId);
    if (known !== undefined) return known;
    const asked = listCheckpoints(repository, taskId);
    this.lists.set(taskId, asked);
    asked.catch(() => this.forget(taskId));
    const [oldest] = this.lists.keys();
    if (this.lists.size > LISTS_MAX && oldest !== undefined) this.lists.delete(oldest);
    return asked;
  }

  /** To be called behind each change of a task's checkpoints. */
  forget(taskId: string): void {
    this.lists.delete(taskId);
  }
}

interface Saved {
  readonly checkpoint: Checkpoint;
  readonly tree: string;
  readonly parent: string;
}

async function listSaved(repository: Repository, taskId: string): Promise<Saved[]> {
  const format = "--format=%(refname:lstrip=5) %(objectname) %(tree) %(parent) %(contents)%00";
  const entries = (await repository.print(["for-each-ref", format, `${taskRefs(taskId)}/checkpoints`])).split("\0\n");
  return entries.flatMap((entry) => (entry === "" ? [] : [toSaved(entry)])).toSorted((a, b) => a.checkpoint.index - b.checkpoint.index);
}

function toSaved(entry: string): Saved {
  const [, index, commit = "", tree = "", parent = "", reason = ""] = /^(\d+) (\w+) (\w+) (\w+) (.*)/.exec(entry) ?? [];
  return { checkpoint: { index: Number(index), commit, at: Number(/^At: (\d+)$/m.exec(entry)?.[1]), reason }, tree, parent };
}
