import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TestHome } from "../support/daemon.ts";
import { makeRepository } from "../support/repository.ts";

/** A driver from a package, whose agent does what it is told: it writes it down. */
const DRIVER = `export default () => ({
  name: "told",
  detect: async () => ({ found: true, program: "/bin/sh", version: "1.0", loggedIn: true }),
  launch: ({ path, env }) => ({
    argv: ["/bin/sh", "-c", "echo ready; read -r told; printf %s \\"$told\\" > told.txt; echo \\"I was told: $told\\"; echo end"],
    env: { ...env, PATH: path }, files: {}, stdin: "",
  }),
  openReader: () => {
    let end = { verdict: { ok: false, reason: "agent_error", message: "no end", retryAt: null }, report: "" };
    return {
      read: (text) => {
        if (text !== "end") return [{ type: "message", text }];
        end = { verdict: { ok: true }, report: "written" };
        return [{ type: "turn_ended", ...end, stdin: null }];
      },
      conclude: () => end,
    };
  },
  answer: () => null,
  say: (text) => text + "\\n",
});`;

async function openHome() {
  const home = await TestHome.make({
    agents: {
      told: { driver: "drover-driver-told" },
      deaf: { driver: "command", command: ["sh", join(import.meta.dirname, "../programs/waits.sh")] },
      gone: { driver: "drover-driver-gone" },
    },
    defaults: { agent: "deaf" },
  });
  const folder = join(home.home, "node_modules", "drover-driver-told");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module", "main": "index.js" }');
  await writeFile(join(folder, "index.js"), DRIVER);
  makeRepository(join(home.folder, "api"), { files: { ".drover/config.yaml": "version: 1\ndefaults: { agent: told }\n" } });
  makeRepository(join(home.folder, "deaf"));
  return home;
}

test("agents are listed with what is wrong with them, and one that works is told something more", async () => {
  await using home = await openHome();
  const daemon = await home.start();
  const { client } = daemon;
  for (const project of ["api", "deaf"]) {
    await client.registerProject({ body: { path: join(home.folder, project) } });
    await client.createTask({ body: { project, title: "Write it down" } });
  }
  const runs = new Map<string, string>();
  await daemon.until(({ type, runId, taskId }) => {
    if (type === "run.message" && runId !== null && taskId !== null) runs.set(taskId, runId);
    return runs.size === 2;
  });
  const agents = (await client.listAgents({})).items.filter(({ name }) => ["told", "deaf", "gone"].includes(name));
  expect(
    agents.map(({ name, found, version, loggedIn, takesMessages, problem, runs: at }) => [
      name,
      found,
      version,
      loggedIn,
      takesMessages,
      problem,
      at.map(({ taskKey }) => taskKey),
    ]),
  ).toEqual([
    ["told", true, "1.0", true, true, null, ["api#1"]],
    ["deaf", true, "unknown", null, false, null, ["deaf#1"]],
    ["gone", false, null, null, false, expect.stringContaining(`npm install --prefix ${home.home} drover-driver-gone`), []],
  ]);

  const { id: deaf } = (await client.listRuns({ query: { task: "deaf#1" } })).items[0] ?? { id: "" };
  await expect(client.sendToRun({ params: { run: deaf }, body: { text: "Hello?" } })).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("Agent deaf takes no messages while it works (driver command)"),
  });
  const { id: told } = (await client.listRuns({ query: { task: "api#1" } })).items[0] ?? { id: "" };
  await client.sendToRun({ params: { run: told }, body: { text: "Leave it." } });
  const task = await daemon.settledTask("api#1");
  expect(task.status).toBe("succeeded");
  expect(await client.getTaskDiff({ params: { task: task.id } })).toContain("+Leave it.");
  const { items } = await client.listEvents({ query: { task: task.id, limit: 100 } });
  expect(items.find(({ type }) => type === "run.told")?.data).toEqual({ text: "Leave it.", by: "api" });
  expect((await client.listAudit({ query: {} })).items[0]).toMatchObject({
    action: "run.send",
    subject: "api#1",
    detail: { runId: told, text: "Leave it." },
  });
  await expect(client.sendToRun({ params: { run: told }, body: { text: "And this." } })).rejects.toThrow("nobody to tell it to");

  // A message for its task is told at once too; who takes none is not told.
  const second = await client.createTask({ body: { project: "api", title: "Write that down" } });
  await daemon.until(({ type, taskId }) => type === "run.message" && taskId === second.id);
  const text = (task: string) => ({ recipient: { to: "task", task }, payload: { kind: "share", text: "It is v3." } }) as const;
  const [heard, unheard] = [await client.sendMessage({ body: text("api#2") }), await client.sendMessage({ body: text("deaf#1") })];
  expect((await daemon.settledTask("api#2")).status).toBe("succeeded");
  expect(await client.getTaskDiff({ params: { task: "api#2" } })).toContain("+Messages for you from others");
  const receiptsOf = async ({ id }: { id: string }) =>
    (await client.getMessage({ params: { message: id } })).receipts.map(({ recipient, state }) => [recipient, state]);
  expect([await receiptsOf(heard), await receiptsOf(unheard)]).toEqual([[["api#2", "delivered"]], [["deaf#1", "pending"]]]);
  await client.cancelTask({ params: { task: "deaf#1" } });
  await daemon.taskWith("deaf#1", "cancelled");
});
