import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { describeLane, type Lane, type OpenLane } from "../conformance/matrix.ts";
import { containersOf, startDocker } from "../support/docker.ts";
import type { TestModel } from "../support/model-server.ts";
import { openNetworkNamespace } from "../support/network-namespace.ts";

const root = join(import.meta.dirname, "../..");
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
      const relay = spawn(process.execPath, [join(root, "test/programs/relay.ts"), socket], { stdio: ["pipe", "pipe", "inherit"] });
      const [port] = (await once(createInterface({ input: relay.stdout }), "line")) as [string];
      return {
        url: `http://127.0.0.1:${port}`,
        enter: [alone],
        config: { sandbox: { allowedHosts: [`127.0.0.1:${port}`] } },
        env: {},
        expectNothingLeft: () => {},
        async [Symbol.asyncDispose]() {
          relay.stdin.end();
          await once(relay, "exit");
        },
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
        // The agents of the matrix that are programs of the tests.
        config: { docker: { mounts: [join(root, "test"), join(root, "src")], socket: engine.socket } },
        env: {},
        expectNothingLeft: () => expect(containersOf(engine)).toEqual([]),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
    },
  },
];

for (const lane of lanes) describeLane(lane);
