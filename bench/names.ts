/** The benchmarks, each a file of its name; their numbers count from 1. */
export const names = [
  "pickup",
  "durable-write",
  "task-overhead",
  "growth",
  "decision",
  "footprint",
  "recovery",
  "event-stream",
  "start-block",
  "agent-overhead",
  "isolations",
  "whole-task",
  "http",
  "hooks",
  "dashboard",
] as const;
export type BenchmarkName = (typeof names)[number];
