import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { buildBundle, isBundleFresh } from "../src/cli/dashboard-bundle.ts";
import { insertTask } from "../src/store/tasks.ts";
import { openBrowser } from "../test/support/browser.ts";
import { makeRepository } from "../test/support/repository.ts";
import { newTask } from "../test/support/scratch-database.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { openHome, type Home } from "./parts/home.ts";
import { percentile, rounds } from "./statistics.ts";

const TASKS = 5000;

/** The board in a real browser, with as many tasks as somebody with ten projects may have. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  if (!isBundleFresh()) await buildBundle();
  await using home = await openHome({});
  await home.start();
  await fill(home);
  await using browser = await openBrowser();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto((await home.client.createLoginLink()).url);
  await page.waitForURL(`${home.url}/`);
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    const paint = await firstCards(page, home.url);
    const words = [await find(page, "Task 4"), await find(page, "")];
    const seen = await changes(page, home, quick ? 10 : 40);
    return { paint, find: Math.max(...words), seen50: percentile(seen, 0.5), seen95: percentile(seen, 0.95), bundle: firstPageKilobytes() };
  });
  return [
    { name: `board of ${TASKS} tasks, address to first cards`, unit: "ms", ours: measured.paint, limit: null, goal: { first: 1000 } },
    { name: "finding in it, key to next frame", unit: "ms", ours: measured.find, limit: null, goal: { first: 100 } },
    { name: "a change asked for to its card on the screen, p50", unit: "ms", ours: measured.seen50, limit: null, goal: null },
    { name: "the same, p95", unit: "ms", ours: measured.seen95, limit: null, goal: { first: 200 } },
    { name: "what the first page loads, compressed", unit: "kB", ours: measured.bundle, limit: null, goal: { first: 250 } },
  ];
};

async function fill(home: Home): Promise<void> {
  const { client, database } = home;
  await client.changeQueue({ body: { paused: true } });
  const { id } = await client.registerProject({ body: { path: makeRepository(join(home.folder, "tiny")).path, name: "tiny" } });
  for (let begin = 0; begin < TASKS; begin += 500) {
    await database.write((tx) => {
      for (let number = begin; number < begin + 500; number += 1)
        insertTask(tx, newTask(id, { title: `Task ${number}`, priority: number % 50 }));
    });
  }
}

async function firstCards(page: Page, url: string): Promise<number> {
  await page.goto("about:blank");
  await page.goto(url, { waitUntil: "commit" });
  await page.locator("article").first().waitFor();
  // From the request for the page, as the browser counts.
  return page.evaluate<number>("performance.now()");
}

/** What a key press does until the frame after it is drawn. */
function find(page: Page, text: string): Promise<number> {
  return page.evaluate<number>(`(async () => {
    const field = document.querySelector("input[type=search]");
    const from = performance.now();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, ${JSON.stringify(text)});
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return performance.now() - from;
  })()`);
}

/** From asking for another priority, which is committed a moment later, to when the card says it. */
async function changes(page: Page, { client }: Home, times: number): Promise<number[]> {
  const delays: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const priority = 60 + (time % 30);
    const seen = page.evaluate<number>(`new Promise((resolve) => {
      const look = () => document.body.textContent.includes("tiny#5000P${priority}") && (observer.disconnect(), resolve(Date.now()));
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    })`);
    // Comes to the page behind that, so that it looks before anything is asked.
    await page.evaluate("0");
    const askedAt = Date.now();
    await client.changeTask({ params: { task: "tiny#5000" }, body: { priority } });
    delays.push((await seen) - askedAt);
  }
  return delays;
}

/** The page, and all that it names: scripts, styles. */
function firstPageKilobytes(): number {
  const folder = join(import.meta.dirname, "../dist/dashboard");
  const html = readFileSync(join(folder, "index.html"), "utf8");
  const files = globSync("assets/*.br", { cwd: folder }).filter((name) => html.includes(name.slice("assets/".length, -".br".length)));
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, html.length) / 1000;
}
