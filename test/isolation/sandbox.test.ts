import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createSandbox } from "../../src/isolation/sandbox.ts";
import { describeConfinement, describeIsolation, fetching, readers } from "../conformance/isolation.ts";
import { openIsolationFixture, type IsolationFixture, type IsolationSubject } from "../support/isolation-fixture.ts";
import { needs } from "../support/needs.ts";
import { startTextServer } from "../support/text-server.ts";

const subject: IsolationSubject = {
  open: async (folder) => ({
    isolation: createSandbox({ clock: systemClock, home: folder, path: process.env["PATH"] ?? "" }),
    async [Symbol.asyncDispose]() {},
  }),
};

describe.skipIf(!needs("bwrap").ok)("bubblewrap", () => {
  describeIsolation("sandbox", subject);
  describeConfinement("sandbox", subject);

  test("leads to the ports of this machine that it was told of, and to no others", async () => {
    const fixture = await open();
    await using told = await startTextServer("the model");
    await using other = await startTextServer("another");
    const ask = `${fetching(`http://127.0.0.1:${told.port}`)}.then(() => ${fetching(`http://127.0.0.1:${other.port}`)})`;
    const lines = await linesOf(fixture, [process.execPath, "-e", ask], { SOME_BASE_URL: `http://127.0.0.1:${told.port}/v1` });
    expect(lines).toEqual(["200 the model", expect.stringContaining("ECONNREFUSED")]);
    expect(other.requests).toBe(0);
  });

  test("its proxy leads to what is on the list, by tunnel and plainly, and says which setting refuses the rest", async () => {
    const fixture = await open();
    // By the proxy, since only 127.0.0.1 is reached directly.
    await using listed = await startTextServer("listed", "127.0.0.2");
    await using unlisted = await startTextServer("unlisted", "127.0.0.2");
    const urls = [listed, unlisted].map(({ port }) => `http://127.0.0.2:${port}/`);
    const ask = [...urls.map(asking), ...urls.map(fetching)].reduce((before, next) => `${before}.then(() => ${next})`);
    const lines = await linesOf(fixture, [process.execPath, "-e", ask], {}, [`127.0.0.2:${listed.port}`]);
    expect(lines).toEqual([
      "200 listed",
      `403 Drover's sandbox does not lead to ${urls[1]}. What may be reached is set by sandbox.allowedHosts.`,
      "200 listed",
      expect.stringMatching(/^TypeError: fetch failed/u),
    ]);
    expect([listed.requests, unlisted.requests]).toEqual([2, 0]);
  });

  test("says what to install where bubblewrap is missing", async () => {
    const sandbox = createSandbox({ clock: systemClock, home: "/nowhere", path: "/nowhere" });
    expect(await sandbox.detect(new AbortController().signal)).toEqual({
      available: false,
      message: expect.stringContaining("Install bubblewrap"),
    });
  });
});

async function open(): Promise<IsolationFixture> {
  const fixture = await openIsolationFixture(subject);
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  return fixture;
}

/** As `fetching`, by a plain request to the proxy. */
const asking = (url: string) =>
  `new Promise((done) => require("http").get(${JSON.stringify(url)}, (r) => r.on("data", (d) => console.log(r.statusCode, String(d).trim())).on("end", done)))`;

async function linesOf(fixture: IsolationFixture, argv: [string, ...string[]], env: Record<string, string> = {}, hosts: string[] = []) {
  const command = { ...fixture.command("waits.sh"), argv };
  const directory = await fixture.start({ ...command, env: { ...command.env, ...env } }, { reach: { hosts, files: [], programs: [] } });
  const lines = await readers(() => fixture).read(directory);
  await fixture.end(command);
  return lines;
}
