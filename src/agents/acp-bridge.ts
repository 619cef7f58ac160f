/**
 * Speaks the Agent Client Protocol to an agent that it starts, and the lines of docs/guides/command-agent.md to Drover. It is
 * held in the agent's place, so what the agent waits for an answer with lives on when the daemon that read it has died.
 *
 * `node acp-bridge.ts work PROGRAM [ARGUMENT...]` does a prompt's work; `describe` instead prints who the agent says it is.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable, Writable } from "node:stream";
import {
  client,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  RequestError,
  type ClientContext,
  type InitializeResponse,
  type NewSessionResponse,
  type RequestPermissionOutcome,
  type RequestPermissionRequest,
} from "@agentclientprotocol/sdk";
import { sleep, systemClock } from "../base/clock.ts";
import { AppError, messageOf } from "../base/errors.ts";
import { AgentConfig } from "../contract/config.ts";
import { toLine } from "./agent-text.ts";
import { AcpTranslator, failureOf, type Failure, type SaidLine } from "./acp-translator.ts";

/** How long the agent has to end its turn after it was told to, and then to end itself. Less than `defaults.graceMs` together. */
const CANCEL_MS = 3000;
const GO_MS = 2000;
/** How long an agent that has loaded a session says nothing before it is taken to have told all of it. */
const QUIET_MS = 200;

interface Prompted {
  readonly prompt: string;
  readonly sessionId: string | undefined;
  readonly model: string | undefined;
}

class Bridge {
  readonly #child: ChildProcess;
  readonly #agent: ClientContext;
  readonly #gone: Promise<never>;
  readonly #translator: AcpTranslator;
  readonly #waiting = new Map<string, (outcome: RequestPermissionOutcome) => void>();
  readonly #asked = new Map<string, RequestPermissionRequest>();
  #sessionId: string | undefined;
  #updates = 0;

  constructor([program, ...args]: readonly [string, ...string[]]) {
    // In a group of its own: who ends us ends our group, and the agent is to be told by us.
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], detached: true });
    this.#gone = goneOf(this.#child);
    this.#gone.catch(() => undefined); // awaited wherever the agent's answer is
    const permissions = AgentConfig.shape.permissions.parse(process.env["DROVER_PERMISSIONS"]);
    this.#translator = new AcpTranslator({ permissions, workspace: process.cwd(), say });
    const { stdin, stdout } = this.#child;
    if (!stdin || !stdout) throw new AppError("internal", "The agent was started without pipes.");
    // What is written to an agent that has ended is lost, and `#gone` tells.
    stdin.on("error", () => undefined);
    this.#agent = client({ name: "drover" })
      .onRequest(methods.client.session.requestPermission, ({ params }) => this.#decide(params))
      .onNotification(methods.client.session.update, ({ params }) => {
        this.#updates++;
        this.#translator.update(params.update);
      })
      .connect(ndJsonStream(Writable.toWeb(stdin), Readable.toWeb(stdout) as ReadableStream<Uint8Array>)).agent;
  }

  /** The agent can neither read nor write files through us, nor run commands: it has tools of its own. */
  initialize(): Promise<InitializeResponse> {
    return this.#orGone(
      this.#agent.request(methods.agent.initialize, {
        protocolVersion: PROTOCOL_VERSION,
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
        clientInfo: { name: "drover", version: "1" },
      }),
    );
  }

  /** Whether the turn ended as it should; what came of it has been said. */
  async work({ prompt, sessionId, model }: Prompted): Promise<boolean> {
    try {
      const { agentCapabilities } = await this.initialize();
      const session = await this.#open(agentCapabilities, sessionId);
      this.#sessionId = session.sessionId;
      if (model !== undefined) await this.#choose(session, model);
      say({ type: "session_started", sessionId: session.sessionId, model: model ?? null });
      this.#translator.begin({ isNew: sessionId === undefined });
      const request = { sessionId: session.sessionId, prompt: [{ type: "text" as const, text: prompt }] };
      this.#translator.end(await this.#orGone(this.#agent.request(methods.agent.session.prompt, request)));
      return true;
    } catch (thrown) {
      this.#translator.fail(thrown instanceof RequestError ? failureOf(thrown) : await this.#ownFailure(thrown));
      return false;
    }
  }

  answer(id: string, allow: boolean): void {
    const request = this.#asked.get(id);
    if (request) this.#waiting.get(id)?.(this.#translator.answered(request, allow));
  }

  /** Tells the agent to end its turn, which makes `work` resolve, and ends it when it does not. */
  async cancel(): Promise<void> {
    for (const settle of this.#waiting.values()) settle({ outcome: "cancelled" });
    if (this.#sessionId === undefined) {
      await this.end();
      process.exit(1); // nobody waits for a turn's end yet
    }
    // Where the connection has gone the agent has too, or `end` sees to it.
    await this.#agent.notify(methods.agent.session.cancel, { sessionId: this.#sessionId }).catch(() => undefined);
    await pause(CANCEL_MS);
    await this.end();
  }

  /** Lets the agent end by itself, as it does when its stdin ends, and sees to it that it does. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await Promise.race([this.#gone.catch(() => undefined), pause(GO_MS)]);
      if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
      try {
        process.kill(-this.#child.pid, signal);
      } catch {
        return; // it went by itself
      }
    }
  }

  async #open(can: InitializeResponse["agentCapabilities"], sessionId: string | undefined): Promise<NewSessionResponse> {
    const place = { cwd: process.cwd(), mcpServers: [] };
    if (sessionId === undefined) return this.#orGone(this.#agent.request(methods.agent.session.new, place));
    const how = can?.sessionCapabilities?.resume ? methods.agent.session.resume : can?.loadSession ? methods.agent.session.load : undefined;
    if (how === undefined) throw new Error("The agent can't go on with a session: it offers neither session/resume nor session/load.");
    const opened = await this.#orGone(this.#agent.request(how, { ...place, sessionId }));
    if (how === methods.agent.session.load) await this.#untilQuiet();
    return { ...opened, sessionId };
  }

  /** An agent that loads a session tells all of it again, and some answer before they have. */
  async #untilQuiet(): Promise<void> {
    for (let seen = -1; seen !== this.#updates; await pause(QUIET_MS)) seen = this.#updates;
  }

  async #choose({ sessionId, configOptions }: NewSessionResponse, model: string): Promise<void> {
    const option = configOptions?.find(({ category, type }) => category === "model" && type === "select");
    if (!option)
      throw new Error("The agent offers no choice of models over its protocol. Set the agent's model to null, and name it in its args.");
    await this.#orGone(this.#agent.request(methods.agent.session.setConfigOption, { sessionId, configId: option.id, value: model }));
  }

  async #decide(request: RequestPermissionRequest): Promise<{ outcome: RequestPermissionOutcome }> {
    const decided = this.#translator.decide(request);
    if (decided) return { outcome: decided };
    const id = randomUUID();
    this.#asked.set(id, request);
    const outcome = new Promise<RequestPermissionOutcome>((resolve) => this.#waiting.set(id, resolve));
    this.#translator.ask(id, request);
    try {
      return { outcome: await outcome };
    } finally {
      this.#waiting.delete(id);
      this.#asked.delete(id);
    }
  }

  /** What went wrong between us and the agent. An agent that ends takes the connection with it, which may be noticed first. */
  async #ownFailure(thrown: unknown): Promise<Failure> {
    const noticed = await Promise.race([this.#gone.catch((gone: unknown) => gone), pause(GO_MS)]);
    return { reason: "agent_error", message: messageOf(noticed ?? thrown), retryAt: null };
  }

  #orGone<Value>(answer: Promise<Value>): Promise<Value> {
    return Promise.race([answer, this.#gone]);
  }
}

async function goneOf(child: ChildProcess): Promise<never> {
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  throw new Error(`The agent ended in the middle of its work, by ${signal ?? `exit code ${code}`}.`);
}

function say(line: SaidLine): void {
  process.stdout.write(Object.keys(line).length === 0 ? "\n" : toLine(line));
}

function pause(ms: number): Promise<void> {
  return sleep(systemClock, ms, new AbortController().signal);
}

/** Reads what Drover says until we end: its stdin never does. */
function listen(bridge: Bridge): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: process.stdin }).on("line", (text) => {
      const line = JSON.parse(text) as { type: string; prompt: string; id: string; allow: boolean };
      if (line.type === "prompt") resolve(line.prompt);
      if (line.type === "answer") bridge.answer(line.id, line.allow);
    });
  });
}

async function work(bridge: Bridge): Promise<number> {
  const { DROVER_SESSION_ID: sessionId, DROVER_MODEL: model } = process.env;
  const isOver = await bridge.work({ prompt: await listen(bridge), sessionId, model });
  await bridge.end();
  return isOver ? 0 : 1;
}

async function describe(bridge: Bridge): Promise<number> {
  const { agentInfo, authMethods } = await bridge.initialize();
  say({ name: agentInfo?.name ?? null, version: agentInfo?.version ?? null, logins: authMethods?.map(({ name }) => name) ?? [] });
  await bridge.end();
  return 0;
}

const [verb, program = "", ...args] = process.argv.slice(2);
// Before there is an agent, so that none is left without us.
process.once("SIGTERM", () => void bridge.cancel());
const bridge = new Bridge([program, ...args]);
process.exit(await (verb === "describe" ? describe(bridge) : work(bridge)));
