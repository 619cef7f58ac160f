import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { examples } from "../../src/api/examples.ts";
import { PassName, PrdFormat } from "../../src/contract/prd.ts";
import { readPrd } from "../../src/prd/read-prd.ts";
import { servedPlace } from "./running.ts";

test("each template that is printed is a PRD", async () => {
  await using at = await servedPlace();
  for (const format of PrdFormat.options) {
    const { code, out } = await at.run(["prd", "template", "--format", format]);
    expect([code, readPrd(`a.${format}`, out).features.length]).toEqual([0, 2]);
  }
  const said = await at.run(["prd", "template", "--format", "txt"]);
  expect(said.err).toContain(`Allowed choices are ${PrdFormat.options.join(", ")}`);
  expect((await at.run(["prd", "change", "--help"])).out).toContain(PassName.options.join(", "));
});

test("a preview shows the passes, what goes at the same time, and what it may take", async () => {
  await using at = await servedPlace();
  const file = join(at.folder, "sums.md");
  writeFileSync(file, "# Sums\n");
  expect(await at.run(["prd", "ingest", "sums.md"])).toEqual({
    code: 0,
    out: [
      "Sums on the command line: 1 features, 1 requirements.",
      "1. order (by agent)",
      "   T1: The sum of two numbers",
      "At the same time: T1",
      "1 tasks, 2 at a time: $0.80 to $4.50, 13 to 55 min (a guess: no such task has been finished yet).",
      "",
    ].join("\n"),
    err: "Nothing was kept. Have it built with: drover prd run sums.md\n",
  });
  expect(at.served.memory.asked.at(-1)).toMatchObject({ name: "previewPrd", body: { file: "sums.md", text: "# Sums\n" } });
  expect((await at.run(["prd", "ingest", "none.md"])).err).toContain("There is no file none.md.");
});

test("passes are shown and changed, and a bundle is written to a new folder", async () => {
  await using at = await servedPlace();
  expect(JSON.parse((await at.run(["prd", "show", "api#1", "--json"])).out)).toEqual(examples.getPrd.response);
  expect((await at.run(["prd", "show", "api#1"])).out).toContain("1. order (by agent)\n   T1: The sum of two numbers\n");
  writeFileSync(join(at.folder, "order.json"), JSON.stringify(examples.changePass.body));
  expect((await at.run(["prd", "change", "api#1", "order", "order.json"])).out).toContain("The pass order of api#42 is changed.");
  expect(at.served.memory.asked.at(-1)).toMatchObject({
    params: { task: "api#1", pass: "order" },
    body: { result: examples.changePass.body },
  });
  expect((await at.run(["prd", "change", "api#1", "nothing", "order.json"])).code).toBe(2);
  expect((await at.run(["task", "bundle", "api#1", "evidence"])).out).toBe(`api#42: 1 files in ${join(at.folder, "evidence")}.\n`);
  expect(readFileSync(join(at.folder, "evidence/run-1/prompt.md"), "utf8")).toBe("You work in a git repository.\n");
  expect((await at.run(["task", "bundle", "api#1", "evidence"])).code).toBe(4);
});
