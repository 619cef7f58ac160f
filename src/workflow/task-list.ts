import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { TaskBody, TaskTitle } from "../contract/task.ts";
import { readLastBlock } from "./last-block.ts";

/** A task that an agent lists: what is wanted, and behind which of the others it comes. */
const ListedTask = z.strictObject({
  title: TaskTitle,
  body: TaskBody.default(""),
  /** Numbers of tasks earlier in the list, from 1, whose results it needs. */
  after: z.array(z.int().min(1)).max(50).default([]),
});
export type ListedTask = z.infer<typeof ListedTask>;

const TaskList = z.strictObject({ tasks: z.array(ListedTask).min(1).max(50) });

/**
 * The tasks that a report lists in its last YAML block, in order. Throws `invalid`, in words for the one who wrote it, for a
 * report that lists none, or in another form.
 */
export function readTaskList(report: string): ListedTask[] {
  const { tasks } = readLastBlock(report, "the list of tasks", TaskList);
  for (const [index, { title, after }] of tasks.entries()) {
    const wrong = after.find((number) => number > index);
    if (wrong !== undefined) {
      throw new AppError(
        "invalid",
        `Task ${index + 1} (${title}) comes after task ${wrong}, which is not before it in the list: put them in order.`,
      );
    }
  }
  return tasks;
}
