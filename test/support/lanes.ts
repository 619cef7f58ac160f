import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { confiningIsolations, type IsolationName } from "../../src/contract/isolation.ts";
import { scopeId } from "../../src/process/scope.ts";
import type { AgentSpot } from "./agent-entries.ts";
import { containersOf, startDocker } from "./docker.ts";
import type { needs } from "./needs.ts";
import { openNetworkNamespace } from "./network-namespace.ts";
import { startRelay } from "./relay.ts";

/** An isolation with what its agents need to work on this machine. */
export interface Lane {
  readonly isolation: IsolationName;
  readonly needs: Parameters<typeof needs>;
  /** @param model a unix socket: all that its agents are to reach. */
  open(model: string): Promise<OpenLane>;
}

/** What a lane has for its agents. */
export interface OpenLane extends AsyncDisposable, AgentSpot {
  /** Of the home's configuration, besides `defaults.isolation`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Called when the daemon of a home has stopped: nothing of the isolation is left. */
  readonly expectNothingLeft: (home: string) => void;
}

const root = join(import.meta.dirname, "../..");
/** Where those agents are that are programs of the tests. */
const readable = ["test", "src", "package.json"].map((name) => join(root, name));
/** Confined agents need no namespace of their own, but for what the daemon asks them outside a run. */
const alone = join(root, "test/programs/alone.sh");
const isConfined = (isolation: IsolationName) => confiningIsolations.includes(isolation);

/** Agents that are not confined run in a network namespace whose only way out is the model. */
async function inNamespace(model: string, expectNothingLeft: OpenLane["expectNothingLeft"]): Promise<OpenLane> {
  const { url, enter, ...namespace } = await openNetworkNamespace(model);
  return { url, enter, isConfined: false, config: {}, expectNothingLeft, [Symbol.asyncDispose]: namespace[Symbol.asyncDispose] };
}

export const lanes: readonly Lane[] = [
  { isolation: "process", needs: ["network-namespace"], open: (model) => inNamespace(model, () => {}) },
  {
    isolation: "tmux",
    needs: ["network-namespace", "tmux"],
    open: (model) =>
      inNamespace(model, (home) => expect(spawnSync("pgrep", ["-f", `tmux -L drover-${scopeId(home)}`]).stdout.toString()).toBe("")),
  },
  {
    isolation: "sandbox",
    needs: ["bwrap"],
    async open(model) {
      // The sandbox's network has nothing but its loopback; this port of ours is the one that it leads to.
      const relay = await startRelay(model);
      return {
        url: relay.url,
        enter: [alone],
        isConfined: isConfined("sandbox"),
        config: { sandbox: { allowedHosts: [relay.host], readable } },
        expectNothingLeft: () => {},
        [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
      };
    },
  },
  {
    isolation: "docker",
    needs: ["docker"],
    async open(model) {
      const engine = await startDocker();
      return {
        url: await engine.relay(model),
        enter: [alone],
        isConfined: isConfined("docker"),
        config: { docker: { mounts: readable, socket: engine.socket } },
        expectNothingLeft: () => expect(containersOf(engine)).toEqual([]),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
    },
  },
];
