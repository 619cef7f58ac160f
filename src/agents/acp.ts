import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { AgentConfig } from "../contract/config.ts";
import { runCommand } from "../process/command.ts";
import type { AgentPlace } from "./agent-place.ts";
import { complaintOf } from "./agent-text.ts";
import { commandDriver, launchLines, programOf } from "./command.ts";
import type { Detection, Driver, Launch, LaunchRequest } from "./driver.ts";
import { geminiPlace } from "./gemini.ts";
import { refusal } from "./opencode-output.ts";
import { opencodePlace } from "./opencode.ts";
import { findProgram } from "./program.ts";

const BRIDGE = fileURLToPath(new URL("acp-bridge.ts", import.meta.url));
/** A first start of a big agent may take half a minute. */
const DESCRIBE_TIMEOUT_MS = 60_000;

/**
 * Any agent that speaks the Agent Client Protocol (https://agentclientprotocol.com), version 1: `gemini --acp`, `opencode acp`
 * and others. A bridge of ours runs in its place, starts it, and turns its words into those of the `command` driver; so its
 * open questions outlive the daemon.
 *
 * What the agent asks permission for is up to the agent; what it asks goes by `permissions`. The protocol has no word for a
 * retry, and none for the reason of a no. It shares the person's own configuration of the agent.
 */
export function acpDriver(clock: Clock): Driver {
  return {
    ...commandDriver,
    name: "acp",
    detect: (agent, env, signal) => detect(agent, env, clock, signal),
    launch,
  };
}

function launch(request: LaunchRequest): Launch {
  const launched = launchLines(request);
  const argv: Launch["argv"] = [process.execPath, BRIDGE, "work", ...launched.argv];
  const place = placeOf(request);
  if (place === undefined) return { ...launched, argv };
  return {
    argv: ["/bin/sh", "-c", `${place.before}exec "$@"`, "drover-acp", ...place.words, ...argv],
    env: { ...launched.env, ...place.env },
    files: { ...launched.files, ...place.files },
    reach: place.reach,
    stdin: launched.stdin,
  };
}

/** Of an agent that we know what keeps it from what the repository carries, and makes it ask. By its program's name. */
function placeOf(request: LaunchRequest): AgentPlace | undefined {
  const names = request.agent.command.map((word) => basename(word));
  return Object.entries(places).find(([name]) => names.includes(name))?.[1](request);
}

const places: Readonly<Record<string, (request: LaunchRequest) => AgentPlace>> = {
  gemini: (request) => {
    const place = geminiPlace(request);
    return { ...place, before: place.before + KEEP_SESSIONS };
  },
  opencode: (request) => opencodePlace(request, (carried) => ({ type: "turn_ended", verdict: refusal(carried) })),
};

/** Gemini CLI names the file of a session by minute and session, so one that goes on within the minute would write over itself. */
const KEEP_SESSIONS = `for file in "$GEMINI_CLI_HOME"/.gemini/tmp/*/chats/session-*.jsonl; do
  if [ -e "$file" ]; then mv "$file" "\${file%.jsonl}-$$.jsonl"; fi
done
`;

const Described = z.object({ name: z.string().nullable(), version: z.string().nullable() });

/** Starts the agent for as long as it takes to say who it is: that it speaks the protocol is what is to be known. */
async function detect(agent: AgentConfig, env: Readonly<Record<string, string>>, clock: Clock, signal: AbortSignal): Promise<Detection> {
  const name = programOf(agent);
  const program = await findProgram(name, env["PATH"] ?? "");
  if (program === undefined) return { found: false, message: `There is no program ${name}. Install it or correct the agent's command.` };
  const options = { cwd: "/", env, timeoutMs: DESCRIBE_TIMEOUT_MS, maxOutputBytes: 64 * 1024, clock, signal };
  try {
    const asked = [process.execPath, BRIDGE, "describe", program, ...agent.command.slice(1), ...agent.args] as const;
    const { stdout, stderr } = await runCommand([...asked], { ...options, env: { ...env, DROVER_PERMISSIONS: agent.permissions } });
    if (stdout === "") return { found: false, message: notAnswering(agent, program, complaintOf(stderr)) };
    const described = Described.parse(JSON.parse(stdout));
    return { found: true, program, version: described.version ?? "unknown", loggedIn: null };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    if (!(thrown instanceof AppError || thrown instanceof SyntaxError || thrown instanceof z.ZodError)) throw thrown;
    return { found: false, message: notAnswering(agent, program, thrown.message) };
  }
}

function notAnswering({ command, args }: AgentConfig, program: string, why: string): string {
  const asked = [program, ...command.slice(1), ...args].join(" ");
  return `\`${asked}\` does not answer as an agent that speaks the Agent Client Protocol does: ${why.slice(0, 500)}`;
}
