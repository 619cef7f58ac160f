import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openBrowser } from "../support/browser.ts";
import type { TestDaemon, TestHome } from "../support/daemon.ts";
import { fillDashboardWorld, HOSTILE_TITLE, openDashboardWorld } from "../support/dashboard-world.ts";
import { needs } from "../support/needs.ts";

/** Nothing here takes as long, but on a machine that has much else to do. */
const TIMEOUT_MS = 120_000;

/** Every page, with something on it that shows that it has what it shows. */
const pages = [
  ["/", "Answer 404 for an unknown order"],
  ["/attention", "Plan the new storage"],
  ["/tasks/api%231", "fixed"],
  ["/tasks/api%231?view=Output", "I look at sum.js: the sign is wrong."],
  ["/tasks/api%231?view=Changes", "+export const sum = (a, b) => a + b;"],
  ["/tasks/api%231?view=Events", "run.tool_called"],
  ["/tasks/api%231?view=Request", "Sum subtracts, please."],
  ["/workers", "waiting answer"],
  ["/breakers", "stage:issue.implement"],
  ["/projects", "25 %"],
  ["/plans", "Log what a request took"],
  ["/plans?view=Graph", "It waits for api#3."],
  ["/analytics", "Tokens in"],
  ["/workflows", "the project's"],
  ["/history", "task.created"],
  ["/history?view=Audit", "project.register"],
  ["/settings", "daemon.maxProcesses"],
] as const;

describe.skipIf(!needs("chromium").ok)("the dashboard", () => {
  let home: TestHome;
  let daemon: TestDaemon;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained of, which each test looks at in the end, and what the page asked of the daemon. */
  let complaints: string[];
  let requests: string[];

  beforeAll(async () => {
    home = await openDashboardWorld({ daemon: { port: await freePort() } });
    daemon = await home.start();
    [browser] = await Promise.all([openBrowser(), fillDashboardWorld(home, daemon)]);
    context = await browser.newContext({ reducedMotion: "reduce" });
    context.setDefaultTimeout(TIMEOUT_MS);
    page = await openPage(context);
  });
  afterAll(async () => {
    await browser?.close();
    await home?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    complaints = [];
    requests = [];
    if (page.url().startsWith(daemon.url)) await open("/");
  });

  async function openPage(inContext: BrowserContext): Promise<Page> {
    const opened = await inContext.newPage();
    opened.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
    opened.on("pageerror", ({ message }) => complaints.push(message));
    opened.on("request", (request) => void requests.push(new URL(request.url()).pathname));
    return opened;
  }

  async function logIn(on = page): Promise<void> {
    await on.goto((await daemon.client.createLoginLink()).url);
    await on.waitForURL(`${daemon.url}/`);
    await on.getByText("Answer 404 for an unknown order").waitFor();
  }

  /** Goes there as a link of the page does. */
  const open = (path: string) =>
    page.evaluate(`history.pushState(null, "", ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent("popstate"))`);
  /** The browser notes each request that fails; any other complaint, such as of what the page's policy forbids, is a fault. */
  const expectComplaints = (expected?: RegExp) => expect(complaints.filter((text) => !expected?.test(text))).toEqual([]);
  const column = (name: string, on = page) => on.getByRole("region", { name, exact: true });
  const cardOf = (key: string, on = page) => on.getByRole("article").filter({ hasText: key });
  const add = (title: string, more: { priority?: number } = {}) => daemon.client.createTask({ body: { project: "api", title, ...more } });
  const taskOf = (task: string) => daemon.client.getTask({ params: { task } });

  test("who has no pass is told what to type, and a link works once", async () => {
    await page.goto(daemon.url);
    await page.getByRole("heading", { name: "This browser is not logged in" }).waitFor();
    await page.goto(`${daemon.url}/login?code=wrong`);
    await page.getByRole("heading", { name: "This link does not work any more" }).waitFor();
    const { url } = await daemon.client.createLoginLink();
    await page.goto(url);
    await page.waitForURL(`${daemon.url}/`);
    await page.getByText("Answer 404 for an unknown order").waitFor();
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    expect(await page.evaluate("document.cookie + JSON.stringify(localStorage)")).toBe("{}");
    const other = await (await browser.newContext()).newPage();
    expect((await other.goto(url))?.status()).toBe(401);
    await other.context().close();
    expectComplaints(/401/u);
  });

  test("each page shows what it is for, and is as it should be for everybody, light and dark", async () => {
    const violations: string[] = [];
    await page.evaluate(axe.source);
    for (const [path, text] of pages) {
      await open(path);
      await page.getByText(text).first().waitFor();
      violations.push(...(await violationsOf(page)).map((violation) => `${path}: ${violation}`));
      await page.emulateMedia({ colorScheme: "dark" });
      violations.push(...(await violationsOf(page, "color-contrast")).map((violation) => `${path}, dark: ${violation}`));
      await page.emulateMedia({ colorScheme: "light" });
    }
    expect(violations).toEqual([]);
    expectComplaints();
  });

  test("a title that is markup and sequences of a terminal is a title", async () => {
    const card = cardOf("web#2");
    const shown = await card.getByRole("link").innerText();
    expect(shown).toBe(HOSTILE_TITLE.replaceAll("\u001b", "").replace("\u202e", ""));
    await card.getByRole("link").click();
    await page
      .getByText("web#2, please.")
      .or(page.getByRole("heading", { name: "web#2" }))
      .first()
      .waitFor();
    expect(await page.title()).toBe("web#2 · Drover");
    expect(await page.locator("img").count()).toBe(0);
    expectComplaints();
  });

  test("what changes moves on the board of every browser, with no reload, and nothing is asked while nothing happens", async () => {
    await using other = await browser.newContext();
    const otherPage = await openPage(other);
    await otherPage.clock.install();
    await logIn(otherPage);
    const { key } = await add("A card that moves");
    await column("pending").getByText("A card that moves").waitFor();
    await column("pending", otherPage).getByText("A card that moves").waitFor();
    await page.evaluate("window.isSame = true");
    await daemon.client.cancelTask({ params: { task: key } });
    await column("complete").getByText("A card that moves").waitFor();
    await column("complete", otherPage).getByText("A card that moves").waitFor();
    expect(await page.evaluate("window.isSame")).toBe(true);

    await otherPage.clock.fastForward("00:05");
    const before = requests.length;
    await otherPage.clock.fastForward("10:00");
    await otherPage.evaluate("document.title");
    expect(requests.slice(before)).toEqual([]);
    expect(requests.filter((path) => path === "/api/events")).toHaveLength(1);
    expectComplaints();
  });

  test("a card is prioritised by its menu and by dragging it, cancelled, and queued again", async () => {
    const low = await add("Dragged", { priority: 10 });
    await page.getByRole("button", { name: `Actions for ${low.key}` }).click();
    await page.getByRole("menuitem", { name: "Move up" }).click();
    await page.getByText(`${low.key} has priority 20.`).waitFor();
    await cardOf("Dragged").dragTo(cardOf("Answer 404"));
    await expect.poll(async () => (await taskOf(low.key)).priority).toBe(71);
    expect(await column("pending").getByRole("article").first().innerText()).toContain("Dragged");
    await page.getByRole("button", { name: `Actions for ${low.key}` }).click();
    await page.getByRole("menuitem", { name: "Cancel" }).click();
    await column("complete").getByText("Dragged").waitFor();
    await cardOf("shop#1").dragTo(cardOf("Answer 404"));
    await expect.poll(async () => (await taskOf("shop#1")).status).toBe("queued");
    const audited = (await daemon.client.listAudit()).items.filter(({ subject }) => subject === low.key);
    expect(audited.map(({ actor, action }) => [actor, action])).toEqual([
      ["dashboard", "task.cancel"],
      ["dashboard", "task.change"],
      ["dashboard", "task.change"],
    ]);
    expectComplaints();
  });

  test("a task is filed from anywhere with the keyboard alone", async () => {
    await page.keyboard.press("Control+k");
    await page.keyboard.type("work");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Workers", level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("new task");
    await page.keyboard.press("Enter");
    await page.getByLabel("Title").focus();
    await page.keyboard.type("Filed by keys");
    await page.keyboard.press("Tab");
    await page.keyboard.type("With a body.");
    await page.getByLabel("Title").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: /^api#\d+$/u }).waitFor();
    const [filed] = (await daemon.client.listTasks({ query: { project: "api", limit: 1 } })).items;
    expect(filed).toMatchObject({ title: "Filed by keys", body: "With a body.", priority: 50, status: "queued" });
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("board");
    await page.keyboard.press("Enter");
    await cardOf("api#3").getByRole("link").focus();
    await page.keyboard.press("ArrowDown");
    expect(await page.evaluate("document.activeElement.closest('article').textContent")).toContain("web#2");
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate("document.activeElement.closest('section').dataset.column")).toBe("in progress");
    expectComplaints();
  });

  test("what needs a person is answered where it stands, one or several at once", async () => {
    await page.getByRole("link", { name: /^Attention/u }).click();
    const list = page.getByRole("list", { name: "What needs you" });
    await list.getByText("question").waitFor();
    await list.getByRole("textbox", { name: "Words for web#1" }).fill("Green.");
    await list.getByRole("listitem").filter({ hasText: "web#1" }).getByRole("button", { name: "Answer" }).click();
    await daemon.settledTask("web#1");
    await list.getByText("question").waitFor({ state: "detached" });
    await page.getByLabel("Choose approval of api#2").check();
    await page.getByRole("button", { name: "Approve 1" }).click();
    await daemon.taskWith("api#2", "succeeded");
    await list.getByText("Plan the new storage").waitFor({ state: "detached" });
    expectComplaints();
  });

  test("a project's weight is changed, and a breaker reset", async () => {
    await open("/projects");
    const weight = page.getByRole("spinbutton", { name: "Weight of docs" });
    await weight.fill("3");
    await weight.press("Enter");
    await expect.poll(async () => (await daemon.client.getProject({ params: { project: "docs" } })).weight).toBe(3);
    await page.getByRole("link", { name: "Breakers" }).click();
    await page.getByRole("button", { name: "Reset worker:broken" }).click();
    await page.getByRole("button", { name: "Reset worker:broken" }).waitFor({ state: "detached" });
    expectComplaints();
  });

  test("a workflow and a setting are changed, if they are right", async () => {
    await open("/workflows?name=careful");
    await page.getByText("Change it").click();
    const text = page.getByRole("textbox", { name: "Workflow careful, as YAML" });
    const right = await text.inputValue();
    await text.fill(right.replace("yields: report", "yields: nonsense"));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("stages[0].yields").waitFor();
    await text.fill(right.replace("approval: true", "approval: false"));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("New tasks get version 2 of careful.").waitFor();
    await page.getByRole("button", { name: "Go back to version 1" }).click();
    await page.getByText("New tasks get version 1 of careful.").waitFor();

    await open("/settings");
    await page.getByRole("combobox", { name: "Setting" }).fill("daemon.maxProcesses");
    await page.getByRole("textbox", { name: "Value" }).fill("5");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText("daemon.maxProcesses is set.").waitFor();
    const now = async () => (await daemon.client.listWorkers()).max;
    await expect.poll(now).toBe(5);
    expectComplaints(/400/u);
  });

  test("when the daemon is gone it says so, and goes on when another has come", async () => {
    await daemon.kill();
    await page.getByText("The daemon does not answer.").waitFor();
    // It is said for some seconds only, so who looks begins before.
    const isBack = page.getByText("The daemon is back, and everything is up to date.").waitFor();
    daemon = await home.start();
    await isBack;
    await add("After the restart");
    await column("pending").getByText("After the restart").waitFor();
    expectComplaints(/ERR_CONNECTION|ERR_INCOMPLETE/u);
  });
});

/** What axe finds wrong, a line each; by all of its rules, or one. */
async function violationsOf(page: Page, rule?: string): Promise<string[]> {
  const options = { resultTypes: ["violations" as const], ...(rule !== undefined && { runOnly: [rule] }) };
  const { violations } = await page.evaluate((given) => (globalThis as unknown as { axe: typeof axe }).axe.run(given), options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ""}`),
  );
}

/** One that is free now; the daemons of one home follow each other on it, as at home. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
