import { join } from "node:path";
import { toLine } from "./agent-text.ts";
import { commandDriver } from "./command.ts";
import type { Driver, Launch, LaunchRequest } from "./driver.ts";

const SHELL = "/bin/sh";

/**
 * Asks what stdin begins with, and repeats the answer as its own last word. It ends without one when it is told to. By stdin, because
 * a container changes the paths of the workspace in arguments, and the person is outside.
 */
const WAIT = 'IFS= read -r question && printf "%s\\n" "$question" && IFS= read -r answer && printf "%s\\n" "$answer"';

/**
 * A person in the place of an agent. The run asks one question, which says where the workspace and the request are; the answer
 * ends it: yes means that the work is done (or that nothing was to do), no that the person refuses, and the message is the
 * report. What the person did in the workspace is checked as any agent's work is.
 */
export const humanDriver: Driver = {
  ...commandDriver,
  name: "human",
  isPerson: true,
  detect: async () => ({ found: true, program: SHELL, version: "-", loggedIn: null }),
  launch,
  answer: (_question, { allow, message }) => toLine({ type: "turn_ended", verdict: verdictOf(allow, message), report: message }),
};

function launch({ prompt, workspace, configDirectory, path, env }: LaunchRequest): Launch {
  const request = join(configDirectory, "request.md");
  const todo =
    "Do what the request says, in the workspace, or find that nothing is to do. Then answer: yes when it is done, no when you refuse. The message is the report.";
  const question = toLine({ type: "question_asked", id: "work", tool: "person", input: { todo, workspace, request } });
  return {
    argv: [SHELL, "-c", WAIT],
    env: { ...env, PATH: path },
    files: { [request]: prompt },
    stdin: question,
  };
}

function verdictOf(allow: boolean, message: string): object {
  if (allow) return { ok: true };
  return { ok: false, reason: "permission_denied", message: `A person refused${message === "" ? "." : `: ${message}`}` };
}
