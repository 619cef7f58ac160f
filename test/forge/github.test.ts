import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { AppError } from "../../src/base/errors.ts";
import type { ProjectConfig } from "../../src/contract/config.ts";
import type { ForgeProject, IssuePoll } from "../../src/forge/forge.ts";
import { GithubForge } from "../../src/forge/github/github-forge.ts";
import { cursorOf, issuesOf } from "../conformance/forge.ts";
import { git } from "../support/git-http.ts";
import { GithubDouble, type Fault } from "../support/github-double.ts";
import type { DoubleRepository } from "../support/github-repository.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { sampleConfig, sampleProject } from "../support/samples.ts";

const tokens: Record<string, string> = { GITHUB_TOKEN: "ghp_one", OTHER_TOKEN: "ghp_two" };
const marker = "<!-- drover:task_1:comment -->";
const { signal } = new AbortController();

let github: GithubDouble;
let api: DoubleRepository;
let target: ForgeProject;
let forge: GithubForge;

beforeEach(async () => {
  github = await GithubDouble.start();
  api = await github.createRepository("acme/api", { tokens: { ghp_one: "owner" } });
  target = targetOf("acme/api");
  forge = newForge();
});
afterEach(() => github[Symbol.asyncDispose]());

function newForge(clock: Clock = systemClock, redact = (text: string) => text): GithubForge {
  return new GithubForge({ clock, tokens: (variable) => tokens[variable], redact });
}

function targetOf(repository: string, { github: change = {} }: { github?: Partial<ProjectConfig["github"]> } = {}): ForgeProject {
  return {
    project: sampleProject({ repository, remote: github.remote(repository) }),
    config: sampleConfig({ github: { apiUrl: github.url, ...change } }),
  };
}

const poll = (cursor: string | null = null): Promise<IssuePoll> => forge.poll(target, cursor, signal);
const numbersOf = (answer: IssuePoll) => issuesOf(answer).map((issue) => issue.number);

const mayStart = async (number: number) => {
  const issue = await forge.getIssue(target, number, signal);
  if (issue === undefined) throw new Error("no such issue");
  return forge.mayStart(target, issue, signal);
};

/** What a call failed with: code, time to wait, message. */
async function failureOf(work: Promise<unknown>): Promise<{ code: string; retryAfterMs: unknown; message: string }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error("it did not fail with an AppError", { cause: error });
  return { code: error.code, retryAfterMs: error.details["retryAfterMs"], message: error.message };
}

describe("polling", () => {
  test("shows all of 250 issues, and no pull request", async () => {
    for (let count = 0; count < 250; count++) api.openIssue({ title: `Issue ${count}`, labels: ["claude"] });
    const pull = api.openPull({ title: "A fork's", head: "main", base: "main" });
    api.label(pull.number, "Claude");
    const numbers = numbersOf(await poll());
    expect(numbers).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
  });

  test("pages to the end of what changed, too", async () => {
    const first = await poll();
    for (let count = 0; count < 120; count++) api.openIssue({ title: `Issue ${count}`, labels: ["Claude"] });
    expect(new Set(numbersOf(await poll(cursorOf(first)))).size).toBe(120);
  });

  test("hides no issue when others change while it pages", async () => {
    let now = Date.now() - 86_400_000;
    await using later = await GithubDouble.start({ now: () => now });
    const repository = await later.createRepository("acme/api", { tokens: { ghp_one: "owner" } });
    target = { project: sampleProject({ remote: later.remote("acme/api") }), config: sampleConfig({ github: { apiUrl: later.url } }) };
    const first = await poll();
    for (let count = 0; count < 150; count++) {
      now += 10_000;
      repository.openIssue({ title: `Issue ${count}`, labels: ["Claude"] });
    }
    now += 1000;
    later.before(/page=2/, () => [1, 2, 3, 148, 149, 150].forEach((number) => repository.edit(number, { body: "changed" })));
    const second = await poll(cursorOf(first));
    const third = await poll(cursorOf(second));
    expect(new Set([...numbersOf(second), ...numbersOf(third)]).size).toBe(150);
    expect(issuesOf(third).find((issue) => issue.number === 1)?.body).toBe("changed");
  });

  test("costs nothing of the limit while nothing changes", async () => {
    api.openIssue({ title: "One", labels: ["Claude"] });
    const rested = cursorOf(await poll(cursorOf(await poll())));
    const before = github.requests.length;
    expect(await poll(rested)).toEqual({ changed: false });
    expect(await poll(rested)).toEqual({ changed: false });
    expect(github.requests.slice(before).map((request) => request.status)).toEqual([304, 304]);
  });

  test("takes the labels of the project, whatever their case", async () => {
    api.openIssue({ title: "Claude's", labels: ["Claude"] });
    api.openIssue({ title: "The bot's", labels: ["BOT"] });
    api.openIssue({ title: "Nobody's" });
    target = { ...target, config: sampleConfig({ github: target.config.github, intake: { labels: ["bot", "agent"] } }) };
    expect(numbersOf(await poll())).toEqual([2]);
  });

  test("begins anew when the labels of the project change", async () => {
    api.openIssue({ title: "The bot's", labels: ["bot"] });
    const before = await poll();
    target = { ...target, config: sampleConfig({ github: target.config.github, intake: { labels: ["bot"] } }) };
    expect(await poll(cursorOf(before))).toMatchObject({ changed: true, complete: true, issues: [{ number: 1 }] });
  });

  test("lists everything again after an hour, so that what a list by time can't show is found", async () => {
    const clock = new ManualClock();
    forge = newForge(clock);
    api.openIssue({ title: "One", labels: ["Claude"] });
    const first = await poll();
    expect(await poll(cursorOf(first))).toMatchObject({ complete: false });
    clock.advance(3_600_000);
    expect(await poll(cursorOf(first))).toMatchObject({ complete: true, issues: [{ number: 1 }] });
  });

  test("begins anew with a cursor that it does not know", async () => {
    expect(await poll("[1,2]")).toMatchObject({ changed: true, complete: true });
    expect(await poll("no json")).toMatchObject({ changed: true, complete: true });
  });

  test("gives the last 50 comments by people, oldest first", async () => {
    const number = api.openIssue({ title: "One", labels: ["Claude"] });
    for (let count = 0; count < 130; count++) api.comment(number, `Comment ${count}`, "owner");
    api.comment(number, "I am a bot", "helper[bot]");
    api.comment(number, `${marker}\nStatus`, "owner");
    const [issue] = issuesOf(await poll());
    expect(issue?.comments.map((comment) => comment.body)).toEqual(Array.from({ length: 50 }, (_, index) => `Comment ${80 + index}`));
    expect(issue?.comments[0]).toMatchObject({ author: "owner", association: "OWNER" });
  });

  test("takes a person who quotes our comment for a person", async () => {
    const number = api.openIssue({ title: "One", labels: ["Claude"] });
    api.comment(number, `> ${marker}\n> Done\n\nNot quite.`);
    expect(issuesOf(await poll())[0]?.comments).toHaveLength(1);
  });
});

describe("a failed answer is never an empty one", () => {
  const brokenOff: Fault = { kind: "truncated", how: "cut" };
  const tooShort: Fault = { kind: "truncated", how: "short" };

  test.each<[string, Fault, { code: string; retryAfterMs?: unknown; message: RegExp }]>([
    ["a 500", { kind: "status", status: 500 }, { code: "unavailable", message: /HTTP 500/ }],
    [
      "a 503 with a time",
      { kind: "status", status: 503, headers: { "retry-after": "7" } },
      { code: "unavailable", retryAfterMs: 7000, message: /HTTP 503/ },
    ],
    ["a broken connection", { kind: "reset" }, { code: "unavailable", message: /Cannot reach 127\.0\.0\.1/ }],
    ["a lost reply", { kind: "lost_reply" }, { code: "unavailable", message: /Cannot reach/ }],
    ["a body that breaks off", brokenOff, { code: "unavailable", message: /cut short/ }],
    ["half a body", tooShort, { code: "unavailable", message: /cut short/ }],
    [
      "a bad token",
      { kind: "status", status: 401, message: "Bad credentials" },
      { code: "invalid", message: /token in GITHUB_TOKEN: Bad credentials/ },
    ],
    [
      "a missing permission",
      { kind: "status", status: 403, message: "Resource not accessible" },
      { code: "invalid", message: /GITHUB_TOKEN may not GET.*acme\/api/ },
    ],
    ["a hidden repository", { kind: "status", status: 404 }, { code: "invalid", message: /no repository acme\/api/ }],
    [
      "a moved repository",
      { kind: "status", status: 301, headers: { location: "https://elsewhere.invalid/" } },
      { code: "invalid", message: /acme\/api has moved/ },
    ],
    [
      "a secondary limit with a time",
      { kind: "status", status: 403, message: "You have exceeded a secondary rate limit", headers: { "retry-after": "30" } },
      { code: "unavailable", retryAfterMs: 30_000, message: /limits how often/ },
    ],
    [
      "a secondary limit without a time",
      { kind: "status", status: 403, message: "You have exceeded a secondary rate limit" },
      { code: "unavailable", retryAfterMs: 60_000, message: /limits how often/ },
    ],
    [
      "too many requests",
      { kind: "status", status: 429, headers: { "retry-after": "5" } },
      { code: "unavailable", retryAfterMs: 5000, message: /limits how often/ },
    ],
  ])("%s", async (_, fault, expected) => {
    api.openIssue({ title: "One", labels: ["Claude"] });
    github.fault(fault);
    const failure = await failureOf(poll());
    expect(failure).toEqual({ code: expected.code, retryAfterMs: expected.retryAfterMs, message: expect.stringMatching(expected.message) });
  });

  test.each<[string, Fault]>([
    ["a 500", { match: /page=2/, kind: "status", status: 500 }],
    ["half a body", { match: /page=2/, ...tooShort }],
  ])("%s on the second page", async (_, fault) => {
    for (let count = 0; count < 150; count++) api.openIssue({ title: `Issue ${count}`, labels: ["Claude"] });
    github.fault(fault);
    expect(await failureOf(poll())).toMatchObject({ code: "unavailable" });
  });

  test("no answer within 30 s", async () => {
    const clock = new ManualClock();
    forge = newForge(clock);
    github.fault({ kind: "hang" });
    const polling = failureOf(poll());
    while (clock.nextTimerMs === undefined) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(30_000);
    expect(await polling).toMatchObject({ code: "unavailable", message: expect.stringContaining("did not answer") });
  });

  test("an abort while waiting is the signal's own reason", async () => {
    github.fault({ kind: "hang" });
    const control = new AbortController();
    const polling = forge.poll(target, null, control.signal);
    setImmediate(() => control.abort(new AppError("cancelled", "stop now")));
    await expect(polling).rejects.toThrow("stop now");
  });

  test("a refused connection", async () => {
    const gone = { ...target, config: sampleConfig({ github: { apiUrl: "http://127.0.0.1:9" } }) };
    expect(await failureOf(forge.poll(gone, null, signal))).toMatchObject({ code: "unavailable" });
  });

  test("a token that was never set", async () => {
    const without = targetOf("acme/api", { github: { tokenVariable: "NO_SUCH_TOKEN" } });
    expect(await failureOf(forge.poll(without, null, signal))).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("set NO_SUCH_TOKEN"),
    });
  });

  test("an issue is gone only when its repository is still visible", async () => {
    const number = api.openIssue({ title: "One", labels: ["Claude"] });
    github.fault({ match: /issues\/1$/, kind: "status", status: 404 });
    github.fault({ match: /repos\/acme\/api$/, kind: "status", status: 404 });
    expect(await failureOf(forge.getIssue(target, number, signal))).toMatchObject({ code: "invalid" });
    api.delete(number);
    expect(await forge.getIssue(target, number, signal)).toBeUndefined();
  });
});

describe("limits", () => {
  test("nothing is sent while an announced limit is in force, and everything again after it", async () => {
    const clock = new ManualClock();
    forge = newForge(clock);
    github.fault({ kind: "status", status: 429, headers: { "retry-after": "30" } });
    await failureOf(poll());
    const sent = github.requests.length;
    clock.advance(10_000);
    expect(await failureOf(poll())).toMatchObject({ code: "unavailable", retryAfterMs: 20_000 });
    expect(github.requests).toHaveLength(sent);
    clock.advance(20_000);
    expect(await poll()).toMatchObject({ changed: true });
  });

  test("the last request of the hour is followed by none until the reset", async () => {
    const clock = new ManualClock(Date.now());
    forge = newForge(clock);
    github.setRemaining("ghp_one", 1, 600_000);
    await poll();
    const sent = github.requests.length;
    const failure = await failureOf(poll());
    expect(failure.code).toBe("unavailable");
    expect(Number(failure.retryAfterMs)).toBeGreaterThan(590_000);
    expect(Number(failure.retryAfterMs)).toBeLessThanOrEqual(602_000);
    expect(github.requests).toHaveLength(sent);
  });

  test("one project's limit does not hold up another's token", async () => {
    await github.createRepository("acme/web", { tokens: { ghp_two: "owner" } });
    github.setRemaining("ghp_one", 0, 600_000);
    await failureOf(poll());
    const other = targetOf("acme/web", { github: { tokenVariable: "OTHER_TOKEN" } });
    expect(await forge.poll(other, null, signal)).toMatchObject({ changed: true });
  });
});

describe("tokens", () => {
  test("each repository sees its own project's token only", async () => {
    const web = await github.createRepository("acme/web", { tokens: { ghp_two: "owner" } });
    const other = targetOf("acme/web", { github: { tokenVariable: "OTHER_TOKEN" } });
    const number = { api: api.openIssue({ title: "A", labels: ["Claude"] }), web: web.openIssue({ title: "B", labels: ["Claude"] }) };
    for (const [where, issue] of [
      [target, number.api],
      [other, number.web],
    ] as const) {
      await forge.poll(where, null, signal);
      await forge.putComment(where, { issue, marker, body: "Started" }, signal);
    }
    const used = (repository: string) =>
      new Set(github.requests.filter((request) => request.path.startsWith(`/repos/${repository}/`)).map((request) => request.token));
    expect({ api: used("acme/api"), web: used("acme/web") }).toEqual({ api: new Set(["ghp_one"]), web: new Set(["ghp_two"]) });
    expect(forge.credentials(other)).toEqual({ token: "ghp_two" });
  });

  test.each([
    ["plain http elsewhere", "http://github.example/api/v3", "https://github.example/acme/api.git"],
    ["another host than the remote's", "https://evil.example", "https://github.com/acme/api.git"],
    ["this machine, for a remote that is elsewhere", "http://127.0.0.1:8080", "git@github.com:acme/api.git"],
    ["the machine's metadata", "http://169.254.169.254", "/srv/repositories/api.git"],
    ["credentials in the address", "https://user:secret@api.github.com", "https://github.com/acme/api.git"],
    ["no web address at all", "file:///etc/passwd", "https://github.com/acme/api.git"],
  ])("are not sent to %s", async (_, apiUrl, remote) => {
    let asked = 0;
    const counting = new GithubForge({
      clock: systemClock,
      tokens: () => "ghp_one",
      redact: (text) => text,
      fetch: async () => {
        asked++;
        return Response.json([]);
      },
    });
    const where = { project: sampleProject({ remote }), config: sampleConfig({ github: { apiUrl } }) };
    expect(await failureOf(counting.poll(where, null, signal))).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("github.apiUrl"),
    });
    expect(asked).toBe(0);
  });

  test.each([
    ["https://api.github.com", "git@github.com:acme/api.git"],
    ["https://api.github.com", "git@github-work:acme/api.git"],
    ["https://github.example/api/v3", "ssh://git@github.example:2222/acme/api.git"],
    ["https://api.company.ghe.com", "https://company.ghe.com/acme/api.git"],
  ])("are sent to %s for the remote %s", async (apiUrl, remote) => {
    const asked: string[] = [];
    const answering = new GithubForge({
      clock: systemClock,
      tokens: () => "ghp_one",
      redact: (text) => text,
      fetch: async (input) => {
        asked.push(new Request(input).url.split("?")[0] ?? "");
        return Response.json([]);
      },
    });
    await answering.poll({ project: sampleProject({ remote }), config: sampleConfig({ github: { apiUrl } }) }, null, signal);
    expect(asked).toEqual([`${apiUrl}/repos/acme/api/issues`]);
  });

  test("a redirect is not followed", async () => {
    github.fault({ kind: "status", status: 302, headers: { location: `${github.url}/repos/acme/other/issues` } });
    expect(await failureOf(poll())).toMatchObject({ code: "invalid" });
    expect(github.requests).toHaveLength(1);
  });

  test("GitHub Enterprise is asked below /api/v3", async () => {
    const number = api.openIssue({ title: "One", author: "stranger", labels: ["Claude"], labelledBy: "owner" });
    const enterprise = targetOf("acme/api", { github: { apiUrl: `${github.url}/api/v3` } });
    const issue = await forge.getIssue(enterprise, number, signal);
    expect(issue && (await forge.mayStart(enterprise, issue, signal))).toMatchObject({ allowed: true });
  });
});

describe("who may start work", () => {
  beforeEach(() => {
    api.addPerson("member", { association: "MEMBER", permission: "read" });
    api.addPerson("maintainer", { association: "NONE", permission: "write" });
    api.addPerson("triager", { association: "NONE", permission: "read" });
    api.addPerson("listed", { association: "NONE", permission: "read" });
    api.addPerson("triage[bot]", { type: "Bot", association: "NONE", permission: "write" });
    api.addPerson("dependabot[bot]", { type: "Bot", association: "MEMBER", permission: "write" });
    target = targetOf("acme/api", { github: { labellers: ["listed"] } });
  });

  test.each([
    ["owner", "owner", true, "written by owner (OWNER)"],
    ["member", "triager", true, "written by member (MEMBER)"],
    ["member", "triage[bot]", false, "the label was put on by triage[bot], a bot; a person has to"],
    ["dependabot[bot]", "triager", false, "written by dependabot[bot] (MEMBER) and labelled by triager, who has no write access"],
    ["stranger", "maintainer", true, "labelled by maintainer"],
    ["stranger", "listed", true, "labelled by listed"],
    ["stranger", "stranger", false, "written by stranger (NONE) and labelled by stranger, who has no write access"],
    ["stranger", "triager", false, "written by stranger (NONE) and labelled by triager, who has no write access"],
    ["stranger", "triage[bot]", false, "the label was put on by triage[bot], a bot; a person has to"],
    ["stranger", "ghost", false, "written by stranger (NONE), and nobody known put the label on"],
    ["ghost", "maintainer", true, "labelled by maintainer"],
    ["dependabot[bot]", "maintainer", true, "labelled by maintainer"],
  ])("written by %s, labelled by %s: %s", async (author, labelledBy, allowed, reason) => {
    const number = api.openIssue({ title: "One", author, labels: ["Claude"], labelledBy });
    expect(await mayStart(number)).toEqual({ allowed, reason, actor: labelledBy === "ghost" ? author : labelledBy });
  });

  test("the last labelling counts", async () => {
    const number = api.openIssue({ title: "One", author: "stranger", labels: ["Claude"], labelledBy: "maintainer" });
    api.unlabel(number, "Claude", "maintainer");
    api.label(number, "Claude", "triager");
    expect(await mayStart(number)).toMatchObject({ allowed: false, actor: "triager" });
  });

  test("another label is no approval", async () => {
    const number = api.openIssue({ title: "One", author: "stranger", labels: ["Claude"], labelledBy: "triager" });
    api.label(number, "bug", "maintainer");
    expect(await mayStart(number)).toMatchObject({ allowed: false, actor: "triager" });
  });

  test.each([
    ["body", { body: "and now something else" }],
    ["title", { title: "Something else" }],
  ])("a stranger's %s that was edited after the label needs the label again", async (_, change) => {
    let now = Date.now() - 3_600_000;
    await using later = await GithubDouble.start({ now: () => now });
    const repository = await later.createRepository("acme/api", { tokens: { ghp_one: "owner" } });
    repository.addPerson("maintainer", { permission: "write" });
    target = { project: sampleProject({ remote: later.remote("acme/api") }), config: sampleConfig({ github: { apiUrl: later.url } }) };
    const number = repository.openIssue({ title: "One", author: "stranger", labels: ["Claude"], labelledBy: "maintainer" });
    expect(await mayStart(number)).toMatchObject({ allowed: true });
    now += 60_000;
    repository.edit(number, change);
    expect(await mayStart(number)).toMatchObject({ allowed: false, reason: expect.stringContaining("put the label on again") });
    now += 60_000;
    repository.unlabel(number, "Claude", "maintainer");
    repository.label(number, "Claude", "maintainer");
    expect(await mayStart(number)).toMatchObject({ allowed: true });
  });

  test("a text that changed while it was asked about is not approved", async () => {
    const number = api.openIssue({ title: "One", body: "bad", author: "stranger", labels: ["Claude"], labelledBy: "maintainer" });
    const read = await forge.getIssue(target, number, signal);
    api.issue(number).body = "good";
    expect(read && (await forge.mayStart(target, read, signal))).toMatchObject({ allowed: false });
  });

  test("a pull request is no issue", async () => {
    const pull = api.openPull({ title: "A fork's", head: "main", base: "main" });
    expect(await forge.getIssue(target, pull.number, signal)).toBeUndefined();
  });
});

describe("writing", () => {
  const pull = { branch: "drover/1-one", base: "main", title: "One", body: "x", marker };
  const putComment = (issue: number, body: string) => forge.putComment(target, { issue, marker, body }, signal);
  const putPull = (change: Partial<typeof pull> = {}) => forge.putPullRequest(target, { ...pull, ...change }, signal);

  test.each(["lost_reply", "reset"] as const)("a comment is there once after a %s", async (kind) => {
    const issue = api.openIssue({ title: "One", labels: ["Claude"] });
    github.fault({ match: /^POST .*comments$/, kind });
    expect(await failureOf(putComment(issue, "Started"))).toMatchObject({ code: "unavailable" });
    await putComment(issue, "Started");
    expect(api.issue(issue).comments.map((comment) => comment.body)).toEqual([`${marker}\nStarted`]);
  });

  test.each(["lost_reply", "reset"] as const)("a pull request is there once after a %s", async (kind) => {
    await api.commit({ branch: "drover/1-one", files: { "a.txt": "a" } });
    github.fault({ match: /^POST .*pulls$/, kind });
    expect(await failureOf(putPull())).toMatchObject({ code: "unavailable" });
    const { number } = await putPull();
    expect(api.pulls().map((one) => one.number)).toEqual([number]);
  });

  test("our comment is found behind a hundred others", async () => {
    const issue = api.openIssue({ title: "One", labels: ["Claude"] });
    for (let count = 0; count < 150; count++) api.comment(issue, "talk");
    await putComment(issue, "Started");
    await putComment(issue, "Done");
    const ours = api.issue(issue).comments.filter((comment) => comment.body.startsWith(marker));
    expect(ours.map((comment) => comment.body)).toEqual([`${marker}\nDone`]);
  });

  test("a person's comment that quotes ours is not ours", async () => {
    const issue = api.openIssue({ title: "One", labels: ["Claude"] });
    api.comment(issue, `> ${marker}`);
    await putComment(issue, "Started");
    expect(api.issue(issue).comments.map((comment) => comment.body)).toEqual([`> ${marker}`, `${marker}\nStarted`]);
  });

  test("the same again writes nothing", async () => {
    const issue = api.openIssue({ title: "One", labels: ["Claude"] });
    await putComment(issue, "Started");
    const before = github.requests.length;
    await putComment(issue, "Started");
    expect(github.requests.slice(before).map((request) => request.method)).toEqual(["GET"]);
  });

  test("a closed pull request stays closed and as it is", async () => {
    await api.commit({ branch: "drover/1-one", files: { "a.txt": "a" } });
    const { number } = await putPull();
    api.close(number);
    expect(await putPull({ title: "Two" })).toEqual({ number, url: `${github.url}/acme/api/pull/${number}`, open: false });
    expect(api.issue(number)).toMatchObject({ title: "One", state: "closed" });
  });

  test("a pull request that a person opened from our branch is left as it is", async () => {
    await api.commit({ branch: "drover/1-one", files: { "a.txt": "a" } });
    const theirs = api.openPull({ title: "Theirs", body: "by hand", head: "drover/1-one", base: "main" });
    expect((await putPull({ title: "Ours" })).number).toBe(theirs.number);
    expect(api.issue(theirs.number)).toMatchObject({ title: "Theirs", body: "by hand" });
  });

  test("a branch without commits is refused, one that has not arrived yet is tried again later", async () => {
    await git(api.path, ["update-ref", "refs/heads/drover/2-same", "refs/heads/main"]);
    expect(await failureOf(putPull({ branch: "drover/2-same" }))).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("No commits between"),
    });
    expect(await failureOf(putPull({ branch: "drover/3-missing" }))).toMatchObject({ code: "unavailable" });
  });

  test("secrets are taken out, and what is longer than GitHub takes is cut", async () => {
    const issue = api.openIssue({ title: "One", labels: ["Claude"] });
    forge = newForge(systemClock, (text) => text.replaceAll("hunter2", "[redacted]"));
    await putComment(issue, `hunter2 ${"🐑".repeat(40_000)}`);
    const body = api.issue(issue).comments[0]?.body ?? "";
    expect(body).toContain("[redacted] 🐑");
    expect(body).not.toContain("hunter2");
    expect(body.length).toBeLessThan(65_536);
    expect(body).toMatch(/The rest was cut/);
  });
});
