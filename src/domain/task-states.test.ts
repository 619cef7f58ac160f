import { describe, expect, test } from "vitest";
import { TaskStatus, endedStatuses } from "../contract/task.ts";
import { foldMoves, mayMove, taskMoves } from "./task-states.ts";

describe("the state machine of a task", () => {
  test("a failed or cancelled task can be wanted again, and one that succeeded only because its work no longer fits", () => {
    expect(endedStatuses.map((status) => taskMoves[status])).toEqual([["queued", "blocked"], ["queued"], ["queued"]]);
  });

  test("only a queued task starts, so each start is a claim", () => {
    expect(TaskStatus.options.filter((status) => mayMove(status, "running"))).toEqual(["queued"]);
  });

  test("every status that has not ended can be cancelled", () => {
    const cancellable = TaskStatus.options.filter((status) => mayMove(status, "cancelled"));
    expect(cancellable).toEqual(["draft", "queued", "running", "waiting", "blocked"]);
  });

  test("every status can be reached from draft", () => {
    const reached = new Set<TaskStatus>(["draft"]);
    for (const status of reached) for (const next of taskMoves[status]) reached.add(next);
    expect(reached).toEqual(new Set(TaskStatus.options));
  });
});

describe("folding a history", () => {
  test("leads to the status of the last move", () => {
    const moves = [
      { from: "queued", to: "running" },
      { from: "running", to: "failed" },
      { from: "failed", to: "queued" },
    ] as const;
    expect(foldMoves("queued", moves)).toEqual({ status: "queued", problem: null });
    expect(foldMoves("draft", [])).toEqual({ status: "draft", problem: null });
  });

  test("names a gap, a forbidden move and a wrong beginning", () => {
    expect(foldMoves("queued", [{ from: "running", to: "failed" }])).toEqual({
      status: "failed",
      problem: "it was queued and then moved from running to failed",
    });
    expect(foldMoves("draft", [{ from: "draft", to: "running" }])).toEqual({
      status: "running",
      problem: "it moved from draft to running, which is not allowed",
    });
    expect(foldMoves("succeeded", [])).toEqual({ status: "succeeded", problem: "it began as succeeded" });
  });
});
