import type { EngineParts } from "../../src/engine/parts.ts";
import type { Database, Transaction } from "../../src/store/database.ts";
import { runCheck } from "../../src/workspace/checks.ts";

/** Told of each step before and after it happens: `forge.putComment:before`, `commit of endRun:after`, `host.readLines:line`. */
export type OnStep = (name: string) => void;

/** The parts of a daemon, with every call that leaves it and every commit told to `onStep`. What they do stays as it is. */
export function watchParts(parts: EngineParts, onStep: OnStep): EngineParts {
  const host = watched("host", parts.host, onStep, ["measure", "survey", "readMemoryPressure"]);
  return {
    ...parts,
    host,
    database: watchedDatabase(parts.database, onStep),
    workspaces: watched("workspaces", parts.workspaces, onStep, ["checkpoints", "holdTrees"]),
    branches: watched("branches", parts.branches, onStep, []),
    forges: {
      github: watched("forge", parts.forges.github, onStep, ["credentials"]),
      local: watched("forge", parts.forges.local, onStep, ["credentials"]),
    },
    copyFiles: watchedCall("copyFiles", parts.copyFiles, onStep),
    readKnowledge: watchedCall("readKnowledge", parts.readKnowledge, onStep),
    // As the daemon has it, but over the watched host.
    runCheck: watchedCall(
      "runCheck",
      (request, signal) => runCheck({ ...request, host, clock: parts.clock, redact: parts.redact, signal }),
      onStep,
    ),
  };
}

/** @param unwatched methods that reach nothing outside, or are called whenever time has passed or somebody looks: no steps of a task. */
function watched<Seam extends object>(name: string, seam: Seam, onStep: OnStep, unwatched: readonly string[] = []): Seam {
  return new Proxy(seam, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const call = value.bind(target) as (...parameters: unknown[]) => unknown;
      return unwatched.includes(String(key)) ? call : watchedCall(`${name}.${String(key)}`, call, onStep);
    },
  });
}

function watchedCall<Parameters extends unknown[], Result>(
  name: string,
  call: (...parameters: Parameters) => Result,
  onStep: OnStep,
): (...parameters: Parameters) => Result {
  return (...parameters) => {
    onStep(`${name}:before`);
    const result = call(...parameters);
    if (result instanceof Promise) return result.finally(() => onStep(`${name}:after`)) as Result;
    if (isLines(result)) return watchedLines(name, result, onStep) as Result;
    onStep(`${name}:after`);
    return result;
  };
}

async function* watchedLines(name: string, lines: AsyncIterable<unknown>, onStep: OnStep): AsyncGenerator {
  for await (const line of lines) {
    onStep(`${name}:line`);
    yield line;
  }
  onStep(`${name}:after`);
}

function isLines(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** A commit has the name of the function of ours that asks for it. `before`: all is written, and the transaction still open. */
function watchedDatabase(database: Database, onStep: OnStep): Database {
  const write = (work: (tx: Transaction) => unknown) => {
    const name = `commit of ${callerOutsideStore()}`;
    return database.write<unknown>((tx) => {
      const result = work(tx);
      onStep(`${name}:before`);
      tx.afterCommit(() => onStep(`${name}:after`));
      return result;
    });
  };
  return new Proxy(database, {
    get(target, key) {
      if (key === "write") return write;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** `startAgent/record`: the two innermost functions of src/ that lead to a write. */
function callerOutsideStore(): string {
  const frames = (new Error("only for its stack").stack ?? "").split("\n").filter((line) => /\/src\/(?!store\/)/.test(line));
  const names = frames.slice(0, 2).map((line) => /at (?:async )?(?:new )?([\w.#<>]+) \(/.exec(line)?.[1]?.split(".").at(-1) ?? "anonymous");
  return names.toReversed().join("/");
}
