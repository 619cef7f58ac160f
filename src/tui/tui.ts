import { spawn } from "node:child_process";
import { once } from "node:events";
import { render } from "ink";
import { createElement } from "react";
import { sleep, type Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Client } from "../client/client.ts";
import { App, type AppProps } from "./app.ts";
import { orderTaker } from "./carry-out.ts";
import { keepUp } from "./live.ts";
import { initialState } from "./state.ts";
import { Store } from "./store.ts";
import type { ThemeName } from "./theme.ts";

export interface TuiParts {
  /** A client of the daemon that runs now. Throws `unavailable` when none does. */
  readonly connect: () => Promise<Client>;
  readonly clock: Clock;
  readonly cwd: string;
  /** The environment of programs that are given the terminal. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly theme: ThemeName;
}

const TICK_MS = 1000;
const FRAMES_PER_SECOND = 60;

/** Shows Drover on the terminal of this process until the person quits or the signal aborts. */
export async function runTui({ connect, clock, cwd, env, theme }: TuiParts, outer: AbortSignal): Promise<void> {
  // Before the screen is taken: that no daemon runs is said on the person's own.
  await connect();
  const ended = new AbortController();
  const signal = AbortSignal.any([outer, ended.signal]);
  const terminal: { suspend: Parameters<AppProps["onTerminal"]>[0] } = { suspend: async (use) => use() };
  const parts = {
    connect,
    clock,
    cwd,
    send: (action: Parameters<Store["send"]>[0]) => store.send(action),
    showProgram: (command: readonly string[]) => terminal.suspend(() => runProgram(command, env)),
    quit: () => ended.abort(),
  };
  const takeOrder = orderTaker(parts, signal);
  const store = new Store(initialState({ theme, now: clock.now() }), (order) => void takeOrder(order));
  const onTerminal: AppProps["onTerminal"] = (suspend) => {
    terminal.suspend = suspend;
  };
  const screen = render(createElement(App, { store, onTerminal }), {
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    interactive: true,
    maxFps: FRAMES_PER_SECOND,
  });
  try {
    await Promise.all([keepUp(parts, signal), tick(store, clock, signal), aborted(signal)]);
  } finally {
    screen.unmount();
    await screen.waitUntilExit();
  }
}

/** Times on the screen grow. */
async function tick(store: Store, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(clock, TICK_MS, signal).catch(() => undefined); // aborted: the loop ends
    store.send({ type: "ticked", now: clock.now() });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

async function runProgram([program = "", ...args]: readonly string[], env: TuiParts["env"]): Promise<void> {
  // In a window of the person's own tmux it would refuse, and look for our server in another place.
  const { TMUX: _around, TMUX_TMPDIR: _place, ...rest } = env;
  const child = spawn(program, args, { stdio: "inherit", env: rest });
  // Ink has only stopped listening: Node.js would still read the terminal, and take keys from the program.
  child.once("spawn", () => process.stdin.pause());
  const [exitCode] = (await once(child, "exit")) as [number | null];
  if (exitCode !== 0) throw new AppError("unavailable", `${program} ended with exit code ${exitCode ?? "none"}.`);
}
