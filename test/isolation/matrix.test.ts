import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { describeLane, type Lane, type OpenLane } from "../conformance/matrix.ts";
import { containersOf, startDocker } from "../support/docker.ts";
import type { TestModel } from "../support/model-server.ts";
import { openNetworkNamespace } from "../support/network-namespace.ts";
import { startRelay } from "../support/relay.ts";

const root = join(import.meta.dirname, "../..");
/** Where those agents of the matrix are that are programs of the tests. */
const readable = ["test", "src", "package.json"].map((name) => join(root, name));
/** Confined agents need no namespace of their own, but for what the daemon asks them outside a run. */
const alone = join(root, "test/programs/alone.sh");

/** Agents that are not confined run in a network namespace whose only way out is the model. */
async function inNamespace({ socket }: TestModel, expectNothingLeft: () => void): Promise<OpenLane> {
  const { url, enter, ...namespace } = await openNetworkNamespace(socket);
  return { url, enter, config: {}, env: {}, expectNothingLeft, [Symbol.asyncDispose]: namespace[Symbol.asyncDispose] };
}

const lanes: readonly Lane[] = [
  { isolation: "process", needs: ["network-namespace"], open: (model) => inNamespace(model, () => {}) },
  {
    isolation: "tmux",
    needs: ["network-namespace", "tmux"],
    open: (model) => inNamespace(model, () => expect(spawnSync("pgrep", ["-f", "tmux -L drover-"]).stdout.toString()).toBe("")),
  },
  {
    isolation: "sandbox",
    needs: ["bwrap"],
    async open({ socket }) {
      // The sandbox's network has nothing but its loopback; this port of ours is the one that it leads to.
      const relay = await startRelay(socket);
      return {
        url: relay.url,
        enter: [alone],
        config: { sandbox: { allowedHosts: [relay.host], readable } },
        env: {},
        expectNothingLeft: () => {},
        [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
      };
    },
  },
  {
    isolation: "docker",
    needs: ["docker"],
    async open({ socket }) {
      const engine = await startDocker();
      return {
        url: await engine.relay(socket),
        enter: [alone],
        config: { docker: { mounts: readable, socket: engine.socket } },
        env: {},
        expectNothingLeft: () => expect(containersOf(engine)).toEqual([]),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
    },
  },
];

for (const lane of lanes) describeLane(lane);
