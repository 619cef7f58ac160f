import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Forge, ForgeProject, Issue, IssuePoll } from "../../src/forge/forge.ts";

/** One forge with a repository in it, and the ways in which people change that repository. */
export interface ForgeFixture extends AsyncDisposable {
  readonly forge: Forge;
  readonly target: ForgeProject;
  /** By a person who may start work. Returns its number. */
  openIssue(issue: { title: string; body: string; labels: readonly string[] }): Promise<number>;
  editIssue(number: number, change: { title?: string; body?: string; labels?: readonly string[]; open?: boolean }): Promise<void>;
  /** What stands at the issue as people would read its source, without what they wrote themselves. */
  ourComments(number: number): Promise<string[]>;
  pullRequests(): Promise<{ number: number; title: string; body: string; base: string; branch: string }[]>;
  /** A branch with one commit more than the base; returns that. */
  pushBranch(name: string): Promise<string>;
  /** Whether an unchanged forge says so; a forge without ETags can't. */
  readonly comesToRest: boolean;
}

const { signal } = new AbortController();
const marker = "<!-- drover:task_018f0000-0000-7000-8000-000000000001:comment -->";
const pullMarker = "<!-- drover:task_018f0000-0000-7000-8000-000000000001:pull_request -->";

/** What every forge must do, whatever is behind it. */
export function describeForge(name: string, open: () => Promise<ForgeFixture>): void {
  describe(`${name} as a forge`, () => {
    let fixture: ForgeFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture[Symbol.asyncDispose]());

    const poll = (cursor: string | null) => fixture.forge.poll(fixture.target, cursor, signal);
    const get = (number: number) => fixture.forge.getIssue(fixture.target, number, signal);
    /** The labelled issue of this number, as a poll since the cursor shows it. */
    const polled = async (number: number, cursor: string | null) => issuesOf(await poll(cursor)).find((issue) => issue.number === number);

    test("a poll shows a labelled issue with its text as it was written", async () => {
      const text = { title: "日本語の件名 🐑", body: "Line one\n\n```ts\nconst a = `b`;\n```\n最後 👩‍👩‍👧 – ü" };
      const number = await fixture.openIssue({ ...text, labels: ["Claude"] });
      const issue = await polled(number, null);
      expect(issue).toMatchObject({ number, ...text, open: true, labels: ["Claude"], comments: [] });
      expect(await get(number)).toEqual(issue);
    });

    test("a complete poll leaves out no labelled issue", async () => {
      const numbers: number[] = [];
      for (let count = 0; count < 12; count++)
        numbers.push(await fixture.openIssue({ title: `Issue ${count}`, body: "", labels: ["Claude"] }));
      const answer = await poll(null);
      expect(answer).toMatchObject({ changed: true, complete: true, problems: [] });
      expect(
        issuesOf(answer)
          .map((issue) => issue.number)
          .toSorted((a, b) => a - b),
      ).toEqual(numbers);
    });

    test("without a change the next polls say so", async () => {
      await fixture.openIssue({ title: "One", body: "", labels: ["Claude"] });
      expect(await comesToRest(poll)).toBe(fixture.comesToRest);
    });

    test("an edited text, a closed issue and a removed label are each seen after the cursor", async () => {
      const labels = ["Claude"];
      const edited = await fixture.openIssue({ title: "Edited", body: "before", labels });
      const closed = await fixture.openIssue({ title: "Closed", body: "", labels });
      const unlabelled = await fixture.openIssue({ title: "Unlabelled", body: "", labels });
      const before = await poll(null);
      await fixture.editIssue(edited, { body: "after" });
      await fixture.editIssue(closed, { open: false });
      await fixture.editIssue(unlabelled, { labels: [] });

      const after = await poll(cursorOf(before));
      const issue = issuesOf(after).find((one) => one.number === edited);
      expect(issue?.body).toBe("after");
      expect(issue?.contentHash).not.toBe(issuesOf(before).find((one) => one.number === edited)?.contentHash);
      expect(issuesOf(after).find((one) => one.number === closed)?.open).toBe(false);
      expect(issuesOf(after).find((one) => one.number === unlabelled)?.labels).toEqual([]);
      expect(await get(closed)).toMatchObject({ number: closed, open: false });
    });

    test("a label leaves the content hash as it is", async () => {
      const number = await fixture.openIssue({ title: "One", body: "text", labels: ["Claude"] });
      const before = await get(number);
      await fixture.editIssue(number, { labels: ["Claude", "bug"] });
      expect((await get(number))?.contentHash).toBe(before?.contentHash);
    });

    test("there is no issue of an unknown number", async () => {
      expect(await get(999)).toBeUndefined();
    });

    test("an issue that its owner wrote and labelled may start", async () => {
      const number = await fixture.openIssue({ title: "One", body: "", labels: ["Claude"] });
      const issue = await get(number);
      expect(issue && (await fixture.forge.mayStart(fixture.target, issue, signal))).toMatchObject({ allowed: true });
    });

    test("the comment of a marker is made once and then edited in place", async () => {
      const issue = await fixture.openIssue({ title: "One", body: "", labels: ["Claude"] });
      const put = (body: string) => fixture.forge.putComment(fixture.target, { issue, marker, body }, signal);
      const first = await put("Started 🐑");
      expect(await put("Started 🐑")).toEqual(first);
      expect(await put("Done")).toEqual(first);
      const comments = await fixture.ourComments(issue);
      expect(comments.map((body) => body.trim())).toEqual([`${marker}\nDone`]);
    });

    test("our own comment is no comment by a person", async () => {
      const issue = await fixture.openIssue({ title: "One", body: "", labels: ["Claude"] });
      const before = await get(issue);
      await fixture.forge.putComment(fixture.target, { issue, marker, body: "Started" }, signal);
      const after = await get(issue);
      expect(after).toEqual({ ...before, updatedAt: after?.updatedAt });
    });

    test("the pull request of a branch is opened once and then brought up to date", async () => {
      await fixture.pushBranch("drover/1-one");
      const pull = { branch: "drover/1-one", base: "main", title: "One", body: "Closes #1", marker: pullMarker };
      const put = (change: { title?: string; body?: string }) =>
        fixture.forge.putPullRequest(fixture.target, { ...pull, ...change }, signal);
      const first = await put({});
      expect(await put({})).toEqual(first);
      expect(await put({ title: "One, better", body: "Closes #1, 完" })).toEqual(first);
      expect(first.open).toBe(true);
      expect(await fixture.pullRequests()).toEqual([
        { number: first.number, title: "One, better", body: `${pullMarker}\nCloses #1, 完`, base: "main", branch: "drover/1-one" },
      ]);
    });

    test("two branches have two pull requests", async () => {
      await fixture.pushBranch("drover/1-one");
      await fixture.pushBranch("drover/2-two");
      const pull = { base: "main", title: "One", body: "" };
      const first = await fixture.forge.putPullRequest(fixture.target, { ...pull, branch: "drover/1-one", marker: pullMarker }, signal);
      const second = await fixture.forge.putPullRequest(
        fixture.target,
        { ...pull, branch: "drover/2-two", marker: pullMarker.replace("0001", "0002") },
        signal,
      );
      expect(second.number).not.toBe(first.number);
      expect((await fixture.pullRequests()).map((one) => one.branch).toSorted()).toEqual(["drover/1-one", "drover/2-two"]);
    });

    test("pull requests opened at the same moment have a number each", async () => {
      const branches = ["drover/1-one", "drover/2-two", "drover/3-three", "drover/4-four"];
      for (const branch of branches) await fixture.pushBranch(branch);
      const pulls = await Promise.all(
        branches.map((branch, index) => {
          const pull = { branch, base: "main", title: branch, body: "", marker: pullMarker.replace("0001", `000${index + 1}`) };
          return fixture.forge.putPullRequest(fixture.target, pull, signal);
        }),
      );
      expect(new Set(pulls.map(({ number }) => number)).size).toBe(branches.length);
      expect((await fixture.pullRequests()).map(({ branch }) => branch).toSorted()).toEqual(branches);
    });

    test("a pull request is merged once, at the commit that was named, and is then left as it is", async () => {
      const branch = "drover/1-one";
      const headCommit = await fixture.pushBranch(branch);
      const wanted = { branch, base: "main", title: "One", body: "state: merged", marker: pullMarker };
      const { number } = await fixture.forge.putPullRequest(fixture.target, wanted, signal);
      const state = () => fixture.forge.pullState(fixture.target, { number, headCommit }, signal);
      expect(await state()).toEqual({ state: "ready" });
      await fixture.forge.mergePull(fixture.target, { number, headCommit }, signal);
      expect(await state()).toEqual({ state: "merged" });
      const again = await fixture.forge.putPullRequest(fixture.target, { ...wanted, body: "Once more" }, signal);
      expect(again).toMatchObject({ number, open: false });
      expect((await fixture.pullRequests()).map((pull) => pull.body)).toEqual([`${pullMarker}\nstate: merged`]);
    });

    test("nothing is asked after the signal was aborted", async () => {
      const aborted = AbortSignal.abort(new Error("enough"));
      await expect(fixture.forge.putComment(fixture.target, { issue: 1, marker, body: "x" }, aborted)).rejects.toThrow("enough");
    });
  });
}

export function issuesOf(poll: IssuePoll): readonly Issue[] {
  return poll.changed ? poll.issues : [];
}

export function cursorOf(poll: IssuePoll): string {
  if (!poll.changed) throw new Error("the poll has no cursor: nothing changed");
  return poll.cursor;
}

/** Whether polls without a change soon say so; a forge may look again at what it saw last. */
async function comesToRest(poll: (cursor: string | null) => Promise<IssuePoll>): Promise<boolean> {
  let cursor: string | null = null;
  for (let count = 0; count < 5; count++) {
    const answer = await poll(cursor);
    if (!answer.changed) return true;
    ({ cursor } = answer);
  }
  return false;
}
