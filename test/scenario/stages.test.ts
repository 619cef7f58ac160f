import { expect, test } from "vitest";
import { OrderedScene } from "../support/ordered-scene.ts";

const VARIABLES = ["DROVER_MODEL", "DROVER_EFFORT", "KEY_OF_PLANS"];

/** How the n-th start of an agent was called, as far as its stage decides. */
function called(scene: OrderedScene, agent: "first" | "second", number: number) {
  const { args, env } = scene.call(agent, number);
  return { args, env: Object.fromEntries(VARIABLES.map((name) => [name, env[name]])) };
}

test("a stage has its own agent, model, effort, arguments and variables; an agent that takes over has its own", async () => {
  await using scene = await OrderedScene.open({
    defaults: {
      stages: { plan: { agent: "second", model: "wise", effort: "high", args: ["--plan"], env: ["KEY_OF_PLANS"] } },
      handOver: ["first"],
    },
  });
  Object.assign(scene.home.env, { KEY_OF_PLANS: "secret" });
  scene.order("first", ["done"]);
  scene.order("second", ["done"], [{ limitMs: 3_600_000 }]);
  const daemon = await scene.home.start();
  await scene.file(daemon, 1);
  await daemon.settledTask("api#1");
  for (const title of ["Plan it", "Plan it too"]) {
    const { key } = await daemon.client.createTask({ body: { project: "api", title, mode: "plan" } });
    expect((await daemon.settledTask(key)).status).toBe("succeeded");
  }

  const own = { args: [], env: { DROVER_MODEL: undefined, DROVER_EFFORT: undefined, KEY_OF_PLANS: undefined } };
  expect(called(scene, "first", 1)).toEqual(own);
  const planned = { args: ["--plan"], env: { DROVER_MODEL: "wise", DROVER_EFFORT: "high", KEY_OF_PLANS: "secret" } };
  expect([1, 2].map((number) => called(scene, "second", number))).toEqual([planned, planned]);
  expect(called(scene, "first", 2)).toEqual(own);
});
