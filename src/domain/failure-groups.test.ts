import { expect, test } from "vitest";
import { groupFailures, type Failure } from "./failure-groups.ts";

const failure = (project: string, number: number, message: string, change: Partial<Failure> = {}): Failure => ({
  project,
  task: `${project}#${number}`,
  reason: "agent_error",
  message,
  at: number,
  ...change,
});

test("the same cause in different projects is one group, whatever names and numbers its messages have", () => {
  const groups = groupFailures([
    failure("api", 1, "Cannot reach the registry from /srv/api/1 after 30 s"),
    failure("web", 2, "Cannot reach the registry from /srv/web/7 after 31 s"),
    failure("web", 3, "web#3: Cannot reach the registry from /srv/web/8 after 29 s"),
    failure("web", 4, "The agent of web said 9fceb02d0ae5"),
    failure("api", 5, "Cannot reach the registry from /srv/api/2 after 3 s", { reason: "network" }),
  ]);
  expect(groups).toEqual([
    {
      key: "agent-error-cannot-reach-the-registry-from-after-s",
      reason: "agent_error",
      message: "web#3: Cannot reach the registry from /srv/web/8 after 29 s",
      count: 3,
      projects: ["api", "web"],
      tasks: ["web#3", "web#2", "api#1"],
      firstAt: 1,
      lastAt: 3,
    },
    expect.objectContaining({ key: "agent-error-the-agent-of-said", count: 1, projects: ["web"] }),
    expect.objectContaining({ key: "network-cannot-reach-the-registry-from-after-s", count: 1, projects: ["api"] }),
  ]);
});

test("a project whose name is a part of words is taken out of none of them", () => {
  const [group] = groupFailures([failure("a", 1, "a fatal disaster"), failure("b", 2, "b fatal disaster")]);
  expect(group).toMatchObject({ key: "agent-error-fatal-disaster", projects: ["a", "b"] });
});
