import type { AgentEvent, Driver, OutputReader } from "../../src/agents/driver.ts";
import type { World, WorldProcess } from "./world.ts";

const MINUTE = 60_000;

/** The accounts of its agents at their providers. The agents of the second one share a program, as those of the driver `builtin` do. */
export const ACCOUNTS = ["first", "second"] as const;
export const isHosted = (account: string): boolean => account === ACCOUNTS[1];

/** A driver whose agents speak our own events, one a line. */
export const scriptedDriver: Driver = {
  name: "scripted",
  canShare: ({ account }) => account !== null && isHosted(account),
  detect: async () => ({ found: true, program: "scripted", version: "1", loggedIn: true }),
  launch: ({ agent: { account }, prompt }) => ({
    argv: ["agent"],
    env: { ACCOUNT: account ?? "" },
    files: {},
    stdin: prompt,
    ...(account !== null && isHosted(account) && { shared: { argv: ["agent-host"], env: {} } }),
  }),
  openReader,
  answer: () => null,
};

function openReader(): OutputReader {
  let last: Extract<AgentEvent, { type: "turn_ended" }> | undefined;
  return {
    read(line) {
      const event = JSON.parse(line) as AgentEvent;
      if (event.type === "turn_ended") last = event;
      return [event];
    },
    conclude({ exitCode }) {
      if (last?.verdict.ok === true && exitCode === 0) return { verdict: last.verdict, report: last.report };
      if (last && !last.verdict.ok) return { verdict: last.verdict, report: last.report };
      return { verdict: { ok: false, reason: "agent_error", message: `no good end, exit ${exitCode}`, retryAt: null }, report: "" };
    },
  };
}

type Behaviour = "good" | "wrong" | "idle" | "claims_nothing" | "fails" | "swells" | "hangs" | "vanishes";

/** Lets an agent live: it works a while, prints what it does, and ends in one of the ways that agents end. */
export function live(world: World, process: WorldProcess): void {
  const { time, dice } = world;
  const behaviour = choose(world);
  const duration = dice.between(1, 20) * MINUTE;
  const later = (share: number, run: () => void) => time.schedule(duration * share, () => process.alive && run());

  later(0.01, () => world.print(process, { type: "session_started", sessionId: `s-${process.marker}`, model: "scripted" }));
  for (const share of [0.05, 0.3, 0.8]) later(share, () => void world.providers.refuses(process));
  later(0.4, () => world.print(process, { type: "tool_called", id: "1", tool: "edit", input: "{}" }));
  later(0.5, () => work(world, process, behaviour));
  if (behaviour === "hangs") return;
  later(1, () => finish(world, process, behaviour));
}

function choose({ dice, faults }: World): Behaviour {
  if (!faults.on) return "good";
  const roll = dice.roll();
  const shares: [Behaviour, number][] = [
    ["wrong", 0.08],
    ["idle", 0.02],
    ["claims_nothing", 0.02],
    ["fails", 0.03],
    ["swells", 0.02],
    ["hangs", 0.02],
    ["vanishes", 0.03],
  ];
  let sum = 0;
  for (const [behaviour, share] of shares) if (roll < (sum += share)) return behaviour;
  return "good";
}

function work(world: World, process: WorldProcess, behaviour: Behaviour): void {
  const tree = [...world.trees.values()].find((one) => one.directory === process.cwd);
  if (!tree) world.fail(`an agent works in ${process.cwd}, which is no workspace any more`);
  if (behaviour === "idle") return;
  tree.work += 1;
  tree.isGood = behaviour !== "wrong";
  world.print(process, { type: "tool_finished", id: "1", tool: "edit", failed: false });
}

function finish(world: World, process: WorldProcess, behaviour: Behaviour): void {
  const ended = (verdict: object, exitCode: number) => {
    world.print(process, { type: "turn_ended", verdict, report: "done", stdin: null });
    world.end(process, { exitCode, signal: null });
  };
  switch (behaviour) {
    case "claims_nothing":
      return world.end(process, { exitCode: 0, signal: null });
    case "fails":
      return ended({ ok: false, reason: "agent_error", message: "it failed", retryAt: null }, 1);
    case "swells":
      return world.end(process, { exitCode: null, signal: 9, outOfMemory: true });
    case "vanishes":
      return world.end(process, null);
    case "good":
    case "wrong":
    case "idle":
    case "hangs":
      return ended({ ok: true }, 0);
  }
}
