import { createEmulator } from "emulate";
import { systemClock } from "../../src/base/clock.ts";
import { GithubForge } from "../../src/forge/github/github-forge.ts";
import { describeForge, type ForgeFixture } from "../conformance/forge.ts";
import { GithubDouble } from "../support/github-double.ts";
import { sampleConfig, sampleProject } from "../support/samples.ts";

const token = "ghp_conformance";

describeForge("GitHub (our double)", async () => {
  const github = await GithubDouble.start();
  const repository = await github.createRepository("acme/api", { tokens: { [token]: "owner" } });
  return {
    forge: newForge(),
    target: targetAt(github.url),
    comesToRest: true,
    openIssue: async (issue) => repository.openIssue(issue),
    editIssue: async (number, { title, body, labels, open }) => {
      if (title !== undefined || body !== undefined)
        repository.edit(number, { ...(title !== undefined && { title }), ...(body !== undefined && { body }) });
      if (labels !== undefined) {
        const { labels: current } = repository.issue(number);
        for (const label of current) if (!labels.includes(label)) repository.unlabel(number, label);
        for (const label of labels) if (!current.has(label)) repository.label(number, label);
      }
      if (open === false) repository.close(number);
      if (open === true) repository.reopen(number);
    },
    ourComments: async (number) => repository.issue(number).comments.map((comment) => comment.body),
    pullRequests: async () =>
      repository
        .pulls()
        .map(({ number, title, body, pull }) => ({ number, title, body, base: pull?.base ?? "", branch: pull?.head ?? "" })),
    pushBranch: (branch) => repository.commit({ branch, files: { "file.txt": branch } }),
    [Symbol.asyncDispose]: () => github[Symbol.asyncDispose](),
  };
});

// A second opinion by other people, so that our own misreadings of GitHub do not hide behind our own double.
describeForge("GitHub (emulate)", async () => {
  const github = await createEmulator({
    service: "github",
    port: 0,
    seed: {
      github: {
        users: [{ login: "acme" }],
        repos: [{ owner: "acme", name: "api", auto_init: true }],
      },
      tokens: { [token]: { login: "acme", scopes: ["repo"] } },
    },
  });
  const rest = restClient(github.url);
  const repo = "/repos/acme/api";
  const fixture: ForgeFixture = {
    forge: newForge(),
    target: targetAt(github.url),
    comesToRest: false,
    openIssue: async (issue) => (await rest<{ number: number }>("POST", `${repo}/issues`, issue)).number,
    editIssue: async (number, { open, ...change }) =>
      void (await rest("PATCH", `${repo}/issues/${number}`, { ...change, ...(open !== undefined && { state: open ? "open" : "closed" }) })),
    ourComments: async (number) =>
      (await rest<{ body: string }[]>("GET", `${repo}/issues/${number}/comments`)).map((comment) => comment.body),
    pullRequests: async () =>
      (await rest<EmulatedPull[]>("GET", `${repo}/pulls?state=all`)).map(({ number, title, body, base, head }) => ({
        number,
        title,
        body,
        base: base.ref,
        branch: head.ref,
      })),
    pushBranch: async (branch) => {
      const main = await rest<{ object: { sha: string } }>("GET", `${repo}/git/ref/heads/main`);
      await rest("POST", `${repo}/git/refs`, { ref: `refs/heads/${branch}`, sha: main.object.sha });
      const content = Buffer.from(branch).toString("base64");
      const path = `${repo}/contents/file-${branch.replaceAll("/", "-")}.txt`;
      return (await rest<{ commit: { sha: string } }>("PUT", path, { message: "Change", content, branch })).commit.sha;
    },
    [Symbol.asyncDispose]: () => github.close(),
  };
  return fixture;
});

interface EmulatedPull {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly base: { readonly ref: string };
  readonly head: { readonly ref: string };
}

function newForge(): GithubForge {
  return new GithubForge({ clock: systemClock, tokens: () => token, redact: (text) => text });
}

function targetAt(url: string) {
  return { project: sampleProject({ remote: `${url}/acme/api.git` }), config: sampleConfig({ github: { apiUrl: url } }) };
}

function restClient(url: string) {
  return async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `token ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };
}
