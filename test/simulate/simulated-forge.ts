import { AppError } from "../../src/base/errors.ts";
import { contentHash } from "../../src/forge/content-hash.ts";
import type { Forge, ForgeProject, Issue } from "../../src/forge/forge.ts";
import type { Incarnation } from "./incarnation.ts";
import type { World, WorldIssue } from "./world.ts";

/** The forge of one incarnation, over the world's issues. It fails, limits, and loses answers; what it was asked for may have happened all the same. */
export function simulatedForge(world: World, daemon: Incarnation): Forge {
  const ask = <Result>(name: string, effect: () => Result) =>
    daemon.call(`forge.${name}`, 200, () => {
      refuse(world);
      const result = effect();
      if (world.faults.on && world.dice.chance(0.02)) throw new AppError("unavailable", "The answer was lost.");
      return result;
    });

  return {
    kind: "github",
    poll: (target, cursor) => ask("poll", () => poll(world, target, cursor)),
    getIssue: (target, number) =>
      ask("getIssue", () => {
        const issue = world.issues.get(keyOf(target, number));
        return issue && view(issue);
      }),
    mayStart: () => ask("mayStart", () => ({ allowed: true, actor: "octocat", reason: "owner" })),
    // No agent of the simulation asks the broker.
    read: async () => ({ changed: false }),
    headRef: ({ number }) => `refs/pull/${number}/head`,
    putComment: (target, comment) => ask("putComment", () => putComment(world, target, comment)),
    putPullRequest: (target, pull) => ask("putPullRequest", () => putPullRequest(world, target, pull)),
    mergesPulls: true,
    // Nothing is ever in the merge queue of the simulation.
    pullState: async () => ({ state: "ready" }),
    mergePull: async () => {},
    credentials: () => ({ token: null }),
  };
}

function refuse(world: World): void {
  if (world.time.elapsed >= world.forgeDownUntil) return;
  const [status, details] = world.dice.pick<[number, { retryAfterMs?: number }]>([
    [500, {}],
    [403, { retryAfterMs: 60_000 }],
    [429, { retryAfterMs: 30_000 }],
  ]);
  throw new AppError("unavailable", `The forge answered ${status}.`, details);
}

function poll(world: World, target: ForgeProject, cursor: string | null) {
  const since = Number(cursor ?? 0);
  const changed = [...world.issues.values()].filter((issue) => issue.project === target.project.name && issue.version > since);
  if (cursor !== null && changed.length === 0) return { changed: false } as const;
  return {
    changed: true,
    complete: cursor === null,
    issues: changed.filter((issue) => cursor !== null || issue.open).map(view),
    problems: [],
    cursor: String(world.version),
  } as const;
}

function putComment(world: World, target: ForgeProject, { issue, marker, body }: { issue: number; marker: string; body: string }) {
  const known = world.comments.get(marker);
  world.comments.set(marker, { issue: keyOf(target, issue), body, edits: (known?.edits ?? 0) + 1 });
  return { url: `https://forge/${issue}#${marker.length}` };
}

function putPullRequest(world: World, { project }: ForgeProject, pull: { branch: string; marker: string }) {
  const branch = `${project.name}:${pull.branch}`;
  const commit = world.branches.get(branch);
  if (commit === undefined) world.fail(`a pull request was asked for ${branch}, which was never pushed`);
  if (!world.goodCommits.has(commit)) world.fail(`a pull request carries ${commit}, which no check has passed`);
  const known = world.pulls.get(branch);
  if (known && known.marker !== pull.marker) world.fail(`two tasks share the branch ${branch}`);
  const number = known?.number ?? world.pulls.size + 1;
  world.pulls.set(branch, { number, marker: pull.marker, commit });
  return { number, url: `https://forge/pull/${number}`, open: true };
}

function view(issue: WorldIssue): Issue {
  return {
    number: issue.number,
    title: issue.title,
    body: "",
    url: `https://forge/${issue.project}/${issue.number}`,
    open: issue.open,
    labels: issue.labels,
    author: "octocat",
    association: "OWNER",
    updatedAt: issue.updatedAt,
    contentHash: contentHash(issue.title, ""),
    comments: [],
  };
}

function keyOf({ project }: ForgeProject, number: number): string {
  return `${project.name}#${number}`;
}
