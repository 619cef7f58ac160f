import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../src/base/errors.ts";
import type { Project } from "../../src/contract/project.ts";
import { changeProject, getProject } from "../../src/store/projects.ts";
import type { GithubDouble } from "../support/github-double.ts";
import type { DoubleRepository } from "../support/github-repository.ts";
import { failureOf, IntakeWorld, until } from "../support/intake-world.ts";
import type { ScratchDatabase } from "../support/scratch-database.ts";
import { sampleConfig } from "../support/samples.ts";

let world: IntakeWorld;
let github: GithubDouble;
let api: DoubleRepository;
let scratch: ScratchDatabase;
let project: Project;

beforeEach(async () => {
  world = await IntakeWorld.open();
  ({ github, api, scratch, project } = world);
});
afterEach(() => world[Symbol.asyncDispose]());

describe("the service", () => {
  const pollsOf = (repository: string) =>
    github.requests.filter((request) => request.path.startsWith(`/repos/${repository}/issues?`)).length;
  /** The next poll has been made and stored. */
  const polled = async (which: Project, work: () => void) => {
    const before = getProject(scratch.database.reader, which.id);
    work();
    await until(() => {
      const now = getProject(scratch.database.reader, which.id);
      return now.polledAt !== before.polledAt || now.lastError !== before.lastError;
    });
  };

  test("polls at the project's interval", async () => {
    await polled(project, () => world.intake.start());
    await until(() => scratch.clock.nextTimerMs !== undefined && scratch.clock.nextTimerMs <= 15_000);
    const first = pollsOf("acme/api");
    scratch.clock.advance(299_000);
    expect(pollsOf("acme/api")).toBe(first);
    await polled(project, () => scratch.clock.advance(30_000));
    expect(pollsOf("acme/api")).toBe(first + 1);
  });

  test("takes an issue in after a failure, at a later poll", async () => {
    world.openIssue();
    github.fault({ kind: "status", status: 500 });
    await polled(project, () => world.intake.start());
    expect(world.tasks()).toEqual([]);
    await polled(project, () => scratch.clock.advance(300_000));
    expect(world.keysAndStatuses()).toEqual([["issue:1", "queued"]]);
  });

  test("leaves the forge alone for as long as it asks", async () => {
    github.fault({ kind: "status", status: 429, headers: { "retry-after": "1800" } });
    await polled(project, () => world.intake.start());
    const before = github.requests.length;
    scratch.clock.advance(1_700_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(github.requests).toHaveLength(before);
    await polled(project, () => scratch.clock.advance(120_000));
    expect(github.requests.length).toBeGreaterThan(before);
  });

  test("is not held up by one project whose forge hangs or fails", async () => {
    const web = await github.createRepository("acme/web", { tokens: { ghp_two: "owner" } });
    const other = world.addGithubProject("web", "acme/web", { github: { tokenVariable: "OTHER_TOKEN" } });
    web.openIssue({ title: "Web", labels: ["Claude"] });
    github.fault({ match: /acme\/api/, kind: "hang", times: 100 });
    world.intake.start();
    scratch.clock.advance(1000);
    await until(() => world.tasks(other).length === 1);
    expect(getProject(scratch.database.reader, project.id).polledAt).toBeNull();
    await world.intake.stop();
  });

  test("polls no disabled project, and a new one soon", async () => {
    scratch.database.writeNow((tx) => changeProject(tx, project.id, { enabled: false }));
    await github.createRepository("acme/web", { tokens: { ghp_two: "owner" } });
    world.intake.start();
    const other = world.addGithubProject("web", "acme/web", { github: { tokenVariable: "OTHER_TOKEN" } });
    await until(() => getProject(scratch.database.reader, other.id).polledAt !== null);
    expect(pollsOf("acme/api")).toBe(0);
    expect((await failureOf(Promise.resolve().then(() => world.poll(getProject(scratch.database.reader, project.id))))).code).toBe(
      "conflict",
    );
  });

  test("each repository is asked with its own project's token only", async () => {
    await github.createRepository("acme/web", { tokens: { ghp_two: "owner" } });
    world.addGithubProject("web", "acme/web", { github: { tokenVariable: "OTHER_TOKEN" } });
    await world.intake.runOnce();
    expect(
      new Set(github.requests.map((request) => `${request.path.split("/").slice(2, 4).join("/").split("?")[0]} ${request.token}`)),
    ).toEqual(new Set(["acme/api ghp_one", "acme/web ghp_two"]));
  });

  test("stops while a poll waits, without a trace of it", async () => {
    github.fault({ kind: "hang" });
    world.intake.start();
    await until(() => scratch.clock.nextTimerMs !== undefined);
    await world.intake.stop();
    await world.intake.stop();
    expect(getProject(scratch.database.reader, project.id)).toMatchObject({ polledAt: null, lastError: null });
  });
});

describe("webhooks", () => {
  let hooks: Server;
  let received: { accepted: boolean | string }[];

  beforeEach(async () => {
    received = [];
    world.configs.set("api", sampleConfig({ github: { apiUrl: github.url, webhookSecretVariable: "HOOK_SECRET" } }));
    hooks = createServer((request, response) => {
      void receive(request).then((status) => response.writeHead(status).end());
    });
    await new Promise<void>((resolve) => hooks.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => {
    hooks.closeAllConnections();
    return new Promise((resolve) => hooks.close(resolve));
  });
  const receive = async (request: IncomingMessage): Promise<number> => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const accepted = await world.intake.receiveWebhook(project, { body, headers: request.headers as Record<string, string> });
      received.push({ accepted });
      return 202;
    } catch (error) {
      received.push({ accepted: messageOf(error) });
      return 401;
    }
  };
  const hookUrl = () => `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/`;

  test("make a task of an issue at once", async () => {
    github.addWebhook("acme/api", hookUrl(), "a secret for webhooks");
    world.openIssue();
    await until(() => world.tasks().length === 1);
    await github.delivered();
    expect(github.deliveries.map((delivery) => delivery.status)).toEqual([202, 202]);
    await world.intake.stop();
    expect(world.keysAndStatuses()).toEqual([["issue:1", "queued"]]);
  });

  test("are believed once", async () => {
    github.addWebhook("acme/api", hookUrl(), "a secret for webhooks");
    world.openIssue({ labels: [] });
    await github.delivered();
    const [delivery] = github.deliveries;
    if (delivery === undefined) throw new Error("nothing was delivered");
    await github.redeliver(delivery);
    expect(received).toEqual([{ accepted: true }, { accepted: false }]);
  });

  test("of a push to the base have that looked at, those of other branches not", async () => {
    const push = (ref: string, id: string) => {
      const body = Buffer.from(JSON.stringify({ ref, repository: { full_name: "acme/api" } }));
      const signature = `sha256=${createHmac("sha256", "a secret for webhooks").update(body).digest("hex")}`;
      const headers = { "x-github-event": "push", "x-github-delivery": id, "x-hub-signature-256": signature };
      return world.intake.receiveWebhook(project, { body, headers });
    };
    expect([await push("refs/heads/other", "1"), await push("refs/heads/main", "2"), await push("refs/heads/main", "2")]).toEqual([
      false,
      true,
      false,
    ]);
    expect(world.looks).toEqual(["api"]);
    await world.intake.runOnce();
    expect(world.looks).toEqual(["api", "api"]);
  });

  test("are refused with another secret, of another repository, and when no secret is set", async () => {
    github.addWebhook("acme/api", hookUrl(), "another secret");
    world.openIssue();
    await github.delivered();
    const web = await github.createRepository("acme/web", { tokens: { ghp_two: "owner" } });
    github.addWebhook("acme/web", hookUrl(), "a secret for webhooks");
    web.openIssue({ title: "Web" });
    await github.delivered();
    world.configs.set("api", sampleConfig({ github: { apiUrl: github.url } }));
    web.openIssue({ title: "Web" });
    await github.delivered();
    expect(received).toEqual([
      { accepted: expect.stringContaining("signature does not fit") },
      { accepted: expect.stringContaining("signature does not fit") },
      { accepted: "The webhook is of acme/web, not of api." },
      { accepted: expect.stringContaining("takes no webhooks") },
    ]);
    expect(world.tasks()).toEqual([]);
  });

  test("say only where to look: what counts is what GitHub says now", async () => {
    github.addWebhook("acme/api", hookUrl(), "a secret for webhooks");
    world.openIssue();
    await github.delivered();
    const labelled = github.deliveries.at(-1);
    await until(() => world.tasks().length === 1);
    api.close(1);
    await until(() => world.taskOf("issue:1").status === "cancelled");
    await github.delivered();
    if (labelled === undefined) throw new Error("nothing was delivered");
    await github.redeliver({ ...labelled, id: "old-news" });
    await world.intake.runOnce();
    expect(received.at(-1)).toEqual({ accepted: true });
    expect(world.keysAndStatuses()).toEqual([["issue:1", "cancelled"]]);
  });
});
