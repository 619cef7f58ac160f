import { z } from "zod";
import { BranchState } from "./branch.ts";
import { RunId, TaskId, Timestamp } from "./ids.ts";
import { ProjectName } from "./project.ts";
import { RunProgress, RunStateName } from "./run.ts";
import { Task, TaskPriority } from "./task.ts";

/** A task as the board shows it: small, because a board may have thousands. */
export const Card = z.object({
  id: TaskId,
  key: z.string(),
  project: ProjectName,
  title: z.string(),
  status: Task.shape.status,
  reason: z.string().nullable(),
  message: z.string().nullable(),
  workflow: z.string(),
  stage: z.string(),
  priority: TaskPriority,
  attempt: z.int().nonnegative(),
  iteration: z.int().positive(),
  parentId: TaskId.nullable(),
  costUsdMicros: z.int().nonnegative().nullable(),
  pullRequest: Task.shape.pullRequest,
  /** What becomes of its finished branch; null: it has none. */
  branch: BranchState.nullable(),
  /** The run that is open, and how far it is; null: none is. */
  run: z.object({ id: RunId, agent: z.string(), progress: RunProgress, state: RunStateName.nullable() }).nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Card = z.infer<typeof Card>;

export const boardColumns = ["pending", "in progress", "passing", "complete", "blocked"] as const;
export type BoardColumn = (typeof boardColumns)[number];

/**
 * Where a task is on the board. It is a view and nothing that is stored: what waits for its turn is pending, what passes its checks
 * and is not merged yet is passing, and whatever does not go on without a person is blocked.
 */
export function columnOf({ status, branch }: Pick<Card, "status" | "branch">): BoardColumn {
  switch (status) {
    case "draft":
    case "queued":
    case "waiting":
      return "pending";
    case "running":
      return "in progress";
    case "blocked":
    case "failed":
      return "blocked";
    case "succeeded":
      return branch === "open" || branch === "left" ? "passing" : "complete";
    case "cancelled":
      return "complete";
  }
}

/** The cards of each column in the order of the column: what is next first, elsewhere what changed last first. */
export function arrange(cards: Iterable<Card>): Record<BoardColumn, Card[]> {
  const columns: Record<BoardColumn, Card[]> = { pending: [], "in progress": [], passing: [], complete: [], blocked: [] };
  for (const card of cards) columns[columnOf(card)].push(card);
  for (const name of boardColumns) columns[name].sort(name === "pending" ? byTurn : byChange);
  return columns;
}

/**
 * The priority that puts a task between two others of its project; undefined stands for the end of the column. Where there is no
 * number between, it is that of the one below, which goes by age.
 */
export function priorityBetween(above: number | undefined, below: number | undefined): number {
  if (above === undefined) return Math.min(100, (below ?? 49) + 1);
  if (below === undefined) return Math.max(0, above - 1);
  return Math.floor((above + below) / 2);
}

function byTurn(one: Card, other: Card): number {
  return other.priority - one.priority || one.createdAt - other.createdAt;
}

function byChange(one: Card, other: Card): number {
  return other.updatedAt - one.updatedAt;
}
