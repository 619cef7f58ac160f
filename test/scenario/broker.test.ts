import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Event } from "../../src/contract/event.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { IMAGE, startDocker } from "../support/docker.ts";
import { GITHUB_TOKEN, GithubScene } from "../support/github-scene.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { COMPLETE, openObeyingScene } from "../support/obeying-scene.ts";
import { needs } from "../support/needs.ts";
import { git, writeFiles } from "../support/repository.ts";

const program = join(import.meta.dirname, "../programs/obeys.sh");
const issue = { title: "Total is wrong", body: "1 + 1 is 3.", labels: ["Claude"] };

/** What a command printed in the shell of an agent. */
interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** GitHub's double, and an agent on its issue that does as it is told. */
interface Place extends AsyncDisposable {
  readonly scene: GithubScene;
  readonly daemon: TestDaemon;
  readonly run: string;
  readonly sh: (command: string) => Promise<Said>;
  readonly order: (line: string) => Promise<void>;
}

async function openPlace(config: Readonly<Record<string, unknown>> = {}): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const agents = { obeys: { driver: "command", command: ["sh", program], env: ["ORDERS"] } };
  const own = { agents, defaults: { agent: "obeys", retryAttempts: 1 }, ...config };
  const scene = stack.use(await GithubScene.open({ config: own, files: { "README.md": "# Sample\n", "src/sum.js": "1 + 1\n" } }));
  const { order, sh } = await openOrders(stack, scene.home);
  scene.repository.openIssue(issue);
  const daemon = await scene.home.start();
  await scene.register(daemon);
  const run = await runAtWork(daemon);
  const end = stack.move();
  return { scene, daemon, run, sh, order, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

async function runAtWork(daemon: TestDaemon): Promise<string> {
  return (await daemon.until((event) => event.type === "run.session_started")).at(-1)?.runId ?? "";
}

async function openOrders(stack: AsyncDisposableStack, { folder, env }: GithubScene["home"]) {
  const fifo = join(folder, "orders");
  execFileSync("mkfifo", [fifo]);
  // Both sides, so that neither this nor a write ever waits for a reader.
  const orders = await open(fifo, "r+");
  stack.defer(() => orders.close());
  env["ORDERS"] = fifo;
  const order = async (line: string) => void (await orders.write(`${line}\n`));
  return { order, sh: shellOf(folder, order) };
}

function shellOf(folder: string, order: Place["order"]): Place["sh"] {
  let count = 0;
  return async (command) => {
    count += 1;
    const file = join(folder, `said-${count}`);
    await order(`( ${command} ) >'${file}.out' 2>'${file}.err' </dev/null; echo $? >'${file}.part'; mv '${file}.part' '${file}.code'`);
    await expect.poll(() => existsSync(`${file}.code`), { timeout: 30_000 }).toBe(true);
    const [out = "", err = "", code] = ["out", "err", "code"].map((name) => readFileSync(`${file}.${name}`, "utf8"));
    return { out, err, code: Number(code) };
  };
}

const json = ({ out }: Said) => JSON.parse(out) as unknown;

test("an agent reads its issue, its repository and others' pull requests by gh, without a token anywhere", async () => {
  await using place = await openPlace();
  const { scene, daemon, sh, run } = place;
  const { repository, github } = scene;
  repository.comment(1, "It was right in March.", "ada");
  await repository.commit({ branch: "mend", message: "Mend", files: { "src/sum.js": "1 + 2\n" } });
  const pull = repository.openPull({ title: "Mend it", body: "As asked.", head: "mend", base: "main", author: "ada" }).number;

  expect(await sh("gh issue view")).toEqual({
    out: "title:\tTotal is wrong\nstate:\tOPEN\nauthor:\towner\nlabels:\tClaude\ncomments:\t2\nassignees:\t\nmilestone:\t\nnumber:\t1\n--\n1 + 1 is 3.\n",
    err: "",
    code: 0,
  });
  expect((await sh("gh issue view 1 --comments")).out).toContain("author:\tada\nassociation:\tnone\n--\nIt was right in March.\n--\n");
  expect(json(await sh("gh issue view 1 --json number,title,state,labels,comments"))).toMatchObject({
    number: 1,
    title: "Total is wrong",
    state: "OPEN",
    labels: [{ name: "Claude" }],
    comments: [{ author: { login: "drover-bot" } }, { author: { login: "ada" }, body: "It was right in March." }],
  });
  expect((await sh("gh issue list")).out).toMatch(/^1\tOPEN\tTotal is wrong\tClaude\t/);
  expect((await sh("gh pr list")).out).toMatch(new RegExp(`^${pull}\tMend it\tmend\tOPEN\t`));
  expect(json(await sh(`gh pr view ${pull} --json title,headRefName,state`))).toEqual({
    title: "Mend it",
    headRefName: "mend",
    state: "OPEN",
  });
  expect((await sh(`gh pr diff ${pull}`)).out).toBe(
    "diff --git a/src/sum.js b/src/sum.js\n--- a/src/sum.js\n+++ b/src/sum.js\n@@ -1 +1 @@\n-1 + 1\n+1 + 2\n",
  );
  expect((await sh("gh repo view")).out).toBe("name:\tacme/api\ndescription:\tA sample\n");
  expect(json(await sh("gh api repos/acme/api/issues/1"))).toMatchObject({ number: 1, user: { login: "owner" } });
  expect(
    Buffer.from(
      (json(await sh("gh api repos/{owner}/{repo}/contents/src/sum.js?ref=mend")) as { content: string }).content,
      "base64",
    ).toString(),
  ).toBe("1 + 2\n");
  expect((await sh("gh auth status")).out).toContain("There is no token here");
  expect(await sh("gh pr create --title T --body B")).toEqual({
    out: expect.stringMatching(/^Drover opens the pull request itself/),
    err: "",
    code: 0,
  });

  const asked = github.requests.filter(({ path }) => path === "/repos/acme/api/issues/1").length;
  const environment = (await sh("env; git config --list; cat ~/.gitconfig; gh issue view 1; gh issue view 1")).out;
  expect(github.requests.filter(({ path }) => path === "/repos/acme/api/issues/1").length - asked).toBeLessThanOrEqual(1);
  expect(environment).toContain(`DROVER_RUN=${run}`);
  expect(environment).toContain("Total is wrong");
  await place.order(COMPLETE);
  await daemon.settledTask("api#1");
  expect(await daemon.stop()).toBe(0);
  expect(filesWith(scene.home.folder, GITHUB_TOKEN)).toEqual([]);
  expect(filesWith(scene.home.folder, Buffer.from(`x-access-token:${GITHUB_TOKEN}`).toString("base64"))).toEqual([]);
  for (const { comments } of repository.issues.values()) expect(JSON.stringify(comments)).not.toContain(GITHUB_TOKEN);
  await expectNoProcesses(scene.home);
});

test("what is not this run's to ask is refused with a word, and so is everything once it has asked too often or has ended", async () => {
  await using place = await openPlace({ broker: { callsMax: 6 } });
  const { scene, daemon, run, sh } = place;
  await scene.github.createRepository("acme/other", { tokens: { [GITHUB_TOKEN]: "drover-bot" } });
  const refused = (text: RegExp) => ({ out: "", err: expect.stringMatching(text), code: 1 });

  expect(await sh("gh issue view 1 -R acme/other")).toEqual(
    refused(/^This run works on acme\/api\. Of other repositories, such as "acme\/other"/),
  );
  expect(await sh("gh api repos/acme/other/contents/README.md")).toEqual(refused(/works on acme\/api/));
  expect(await sh("gh issue comment 2 --body Hello")).toEqual(refused(/comes from issue 1\. Nothing is written at others, such as 2/));
  expect(await sh("gh pr view")).toEqual(refused(/has no pull request yet: Drover opens it/));
  expect(await sh("gh pr merge 1")).toEqual(refused(/^gh pr merge is not to be had here\.[^]*gh issue view/));
  expect(await sh("gh api -X DELETE repos/acme/api")).toEqual(refused(/not to be had here/));
  expect(await sh("gh issue view 99")).toEqual(refused(/has nothing at GET \/repos\/acme\/api\/issues\/99/));

  const { url, token } = JSON.parse((await sh(`cat "$(dirname "$(command -v gh)")/source/place.json"`)).out) as {
    url: string;
    token: string;
  };
  const post = async (to: string, authorization: string) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${authorization}` };
    return (await fetch(to, { method: "POST", headers, body: '{"call":"issue"}' })).status;
  };
  expect(url).toBe(`${daemon.url}/api/broker/${run}`);
  expect(
    await post(
      url.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
      token,
    ),
  ).toBe(401);
  expect(await post(url, `${token.slice(0, -2)}AA`)).toBe(401);
  expect((await fetch(`${daemon.url}/api/tasks`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  expect(await post(url, token)).toBe(200);
  expect(await sh("gh issue view")).toEqual(refused(/^This run has asked 6 times, which is all it may \(broker\.callsMax\)/));
  await daemon.kill();
  expect(await sh("gh issue view")).toEqual(refused(/^Drover does not answer at 127\.0\.0\.1/));
  const next = await scene.home.start();
  await place.order(COMPLETE);
  await next.settledTask("api#1");
  expect(await post(url.replace(daemon.url, next.url), token)).toBe(409);
  expect(scene.github.requests.filter(({ path }) => path.includes("acme/other"))).toEqual([]);
});

test("what an agent writes comes to its own issue once, without a voice, within its limit, and stands in the audit log", async () => {
  await using place = await openPlace({ broker: { commentsMax: 1 } });
  const { scene, daemon, run, sh } = place;
  // The answer to its making is lost.
  scene.github.fault({ kind: "lost_reply", match: /^POST .*comments$/ });
  const text = `Which sum, @ada? ${GITHUB_TOKEN} <!-- drover:x -->`;
  expect(await sh(`gh issue comment 1 --body '${text}'`)).toEqual({ out: "Drover writes it at issue 1.\n", err: "", code: 0 });
  expect((await sh(`printf '%s' '${text}' >said.txt; gh issue comment -F said.txt; rm said.txt`)).out).toBe(
    "This run has said that at issue 1 already.\n",
  );
  expect((await sh("gh issue comment --body More")).err).toMatch(/^This run has written 1 comments, which is all it may/);
  const isWritten = (event: Event) => event.type === "effect.done" && event.data.kind === "agent_comment";
  await daemon.until(isWritten);
  await place.order(COMPLETE);
  const task = await daemon.settledTask("api#1");
  const bodies = scene.repository.issue(1).comments.map(({ body }) => body);
  expect(bodies.filter((body) => body.includes("Which sum"))).toEqual([
    expect.stringMatching(
      /^<!-- drover:task_\S+:agent_comment:effect_\S+ -->\nWhich sum, @\u2060ada\? \[redacted\] <\u2060!-- drover:x -->$/,
    ),
  ]);
  const { items } = await daemon.client.listAudit();
  expect(items.filter(({ action }) => action.startsWith("broker."))).toMatchObject([
    { actor: "agent:obeys", action: "broker.comment", subject: "api#1", detail: { runId: run } },
  ]);
  await scene.poll(daemon);
  expect((await daemon.client.listTasks()).items.map(({ key }) => key)).toEqual([task.key]);
});

test("git push and fetch in a workspace are answered at once, and lead nowhere", async () => {
  await using place = await openPlace();
  const { scene, sh, daemon } = place;
  await sh(
    "echo '2' >src/sum.js; git commit -qam Two; mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch hooked\\n' >.git/hooks/reference-transaction",
  );
  const branch = (await daemon.client.getTask({ params: { task: "api#1" } })).branch ?? "";
  const pushed = await sh(`git push -u origin ${branch}`);
  expect([pushed.out, pushed.code]).toEqual(["", 1]);
  expect(pushed.err).toContain(
    `! [remote rejected] ${branch} -> ${branch} (Drover pushes this branch itself, when the work is verified: commit, and end)`,
  );
  expect((await sh("git push --force --all")).err).toContain("Drover pushes this branch itself");
  expect(await sh("git fetch origin")).toMatchObject({ err: expect.stringContaining("Drover has fetched the base branch"), code: 128 });
  expect(await sh(`git push ${scene.github.remote("acme/api")} HEAD:refs/heads/mine`)).toMatchObject({
    err: expect.stringContaining("terminal prompts disabled"),
  });
  expect(git(scene.repository.path, "for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
});

test("an issue in a file is read in the same way", async () => {
  await using scene = await openObeyingScene();
  writeFiles(scene.path, { ".drover/issues/3-total.md": "---\nlabels: [Claude]\nauthor: ada\n---\n# Total is wrong\n\n1 + 1 is 3.\n" });
  const daemon = await scene.home.start();
  await daemon.client.registerProject({ body: { path: scene.path, name: "api" } });
  await runAtWork(daemon);
  const sh = shellOf(scene.home.folder, scene.order);
  expect((await sh("gh issue view")).out).toContain("title:\tTotal is wrong\nstate:\tOPEN\nauthor:\tada\n");
  expect((await sh("gh issue list")).out).toMatch(/^3\tOPEN\tTotal is wrong\tClaude\t/);
  expect(json(await sh("gh repo view --json nameWithOwner,defaultBranchRef"))).toEqual({
    nameWithOwner: "local/api",
    defaultBranchRef: { name: "main" },
  });
  expect((await sh("gh api repos/local/api/contents/README.md")).code).toBe(0);
  expect((await sh("gh api 'repos/local/api/contents/README.md?ref=other'")).err).toMatch(/only files of main can be read/);
  expect((await sh("gh issue comment --body 'Which sum?'")).code).toBe(0);
  await daemon.until((event) => event.type === "effect.done" && event.data.kind === "agent_comment");
  const [ref = ""] = git(scene.path, "for-each-ref", "--format=%(refname)", "refs/drover/comments/3").split("\n");
  expect(git(scene.path, "show", `${ref}:comment.md`)).toMatch(/^<!-- drover:\S+ -->\nWhich sum\?$/);
  expect(git(scene.path, "show", "refs/drover/issues/3:status.md")).toContain("Drover is working on this");
  await scene.order(COMPLETE);
  await daemon.settledTask("api#1");
});

const confined = [
  { isolation: "tmux", isThere: needs("tmux").ok, engine: undefined },
  { isolation: "sandbox", isThere: needs("bwrap").ok, engine: undefined },
  { isolation: "docker", isThere: needs("docker").ok, engine: startDocker },
].filter(({ isThere }) => isThere);

test.each(confined)("in isolation $isolation too, gh reaches the daemon", async ({ isolation, engine }) => {
  await using stack = new AsyncDisposableStack();
  const docker = engine === undefined ? {} : { image: IMAGE, socket: stack.use(await engine()).socket };
  const script = `read -r _; echo '{"type":"session_started","sessionId":"s"}'; gh issue view 2>&1; gh issue view -R acme/other 2>&1; git push origin HEAD 2>&1; ${COMPLETE}`;
  const agents = { asks: { driver: "command", command: ["sh", "-c", script] } };
  const scene = stack.use(await GithubScene.open({ config: { agents, docker, defaults: { agent: "asks", isolation, retryAttempts: 1 } } }));
  scene.repository.openIssue(issue);
  const daemon = await scene.home.start();
  await scene.register(daemon);
  const { id } = await daemon.settledTask("api#1");
  const events = await daemon.until((event) => event.type === "run.ended" && event.taskId === id);
  const said = events.flatMap((event) => (event.type === "run.message" ? [event.data.text] : [])).join("\n");
  expect(said).toContain("title:\tTotal is wrong\nstate:\tOPEN\n");
  expect(said).toContain("This run works on acme/api.");
  expect(said).toContain("Drover pushes this branch itself");
});

/** The files of a folder in which a text stands, in whatever they hold. */
function filesWith(folder: string, text: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => join(entry.parentPath, entry.name)).filter((file) => readFileSync(file).includes(text));
}
