import { AppError } from "../../base/errors.ts";
import { safeText } from "../../base/text.ts";
import type { NewEvent } from "../../contract/event.ts";
import type { Run, Worker } from "../../contract/run.ts";
import type { AgentEvent } from "../../agents/driver.ts";
import { listRuns, openRuns } from "../../store/runs.ts";
import { recordRun, requestCancel } from "../../store/transitions.ts";
import { workersMax } from "../governor.ts";
import { agentDirectory, findAgent, recordDaemonHooks } from "../job.ts";
import type { EngineParts } from "../parts.ts";
import { LEASE_MS } from "../run-pool.ts";
import { audited, requireProject, requireRun, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names = "listRuns" | "getRun" | "getRunOutput" | "answerRun" | "listWorkers" | "stopWorker";

/** Runs and the workers that carry them. */
export function runVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  function listWorkers(): Worker[] {
    const runs = new Map(openRuns(reader).map((run) => [run.worker, run]));
    const count = Math.max(parts.settings.current().daemon.maxProcesses, ...runs.keys());
    return Array.from({ length: count }, (_, index) => workerOf(index + 1, live(runs.get(index + 1)), parts.clock.now()));
  }

  /** With its state by what is known now, where it is carried here. */
  function live<One extends Run | undefined>(run: One): One {
    const state = run && parts.engine.stateOf(run.id);
    return run && state ? { ...run, state } : run;
  }

  return {
    listRuns({ query }) {
      const items = listRuns(reader, {
        ...(query.project === undefined ? {} : { projectId: requireProject(reader, query.project).id }),
        ...(query.task === undefined ? {} : { taskId: requireTask(reader, query.task).id }),
        ...(query.open === undefined ? {} : { open: query.open }),
        ...(query.after === undefined ? {} : { after: query.after }),
        limit: query.limit,
      });
      return { items: items.map(live), next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },

    getRun: ({ params }) => live(requireRun(reader, params.run)),

    // The run is looked for now: within the generator it would be too late for an answer of its own.
    getRunOutput: ({ params, query, signal }) => readTranscript(parts, requireRun(reader, params.run), query, signal),

    async answerRun({ params, body, actor }) {
      const run = requireRun(reader, params.run);
      const question = run.questions.find((one) => one.id === body.question);
      if (!question)
        throw new AppError("conflict", `Run ${run.id} does not wait for an answer to ${body.question}. It may have been answered already.`);
      const text = findAgent(parts, run.agent).driver.answer(question, body);
      if (text === null) throw new AppError("conflict", `Agent ${run.agent} takes no answers.`);
      await parts.host.send(agentDirectory(parts, run), text);
      const questions = run.questions.filter((one) => one.id !== question.id);
      await audited(
        parts,
        { actor, action: "run.answer", subject: run.taskKey, detail: { tool: question.tool, allow: body.allow } },
        (tx) => {
          const event: NewEvent = {
            type: "run.question_answered",
            projectId: run.projectId,
            taskId: run.taskId,
            runId: run.id,
            data: { id: question.id, allow: body.allow, by: actor },
          };
          if (recordRun(tx, run, { questions }, [event])) recordDaemonHooks(tx, run, [event], parts.drivers.get(run.driver));
        },
      );
      parts.engine.see(run.id, { kind: "question_answered", at: parts.clock.now(), id: question.id });
      return requireRun(reader, run.id);
    },

    listWorkers: () => ({ items: listWorkers(), max: workersMax(parts, reader) }),

    async stopWorker({ params, actor }) {
      const run = openRuns(reader).find((one) => one.worker === params.worker);
      if (!run) throw new AppError("conflict", `Worker ${params.worker} does nothing now.`);
      await audited(parts, { actor, action: "worker.stop", subject: `worker ${params.worker}`, detail: { task: run.taskKey } }, (tx) =>
        requestCancel(tx, run.taskId, { by: "user", actor, message: `Worker ${params.worker} was stopped by ${actor}.` }),
      );
      return workerOf(params.worker, live(run), parts.clock.now());
    },
  };
}

/** What a run's agent said and did, line by line for people; `raw`: as it wrote it. */
export async function* readTranscript(
  parts: EngineParts,
  run: Run,
  query: { readonly follow: boolean; readonly raw: boolean },
  signal: AbortSignal,
): AsyncGenerator<{ text: string }> {
  const output = parts.host.readLines(agentDirectory(parts, run), { from: 0, follow: query.follow, signal });
  const outputReader = query.raw ? undefined : parts.drivers.get(run.driver)?.openReader();
  for await (const line of output) {
    const texts = outputReader ? outputReader.read(line.text).map(describe) : [line.text];
    for (const text of texts) if (text !== undefined) yield { text: parts.redact(safeText(text)) };
  }
}

function workerOf(number: number, run: Run | undefined, now: number): Worker {
  if (!run)
    return {
      number,
      status: "idle",
      runId: null,
      taskKey: null,
      agent: null,
      kind: null,
      progress: null,
      state: null,
      heartbeatAgeMs: null,
    };
  const heartbeatAgeMs = Math.max(0, now - (run.leaseExpiresAt - LEASE_MS));
  const { id: runId, taskKey, agent, kind, progress, state } = run;
  return { number, status: "running", runId, taskKey, agent, kind, progress, state, heartbeatAgeMs };
}

/** An agent's event as a line for people; undefined: nothing to read. */
function describe(event: AgentEvent): string | undefined {
  switch (event.type) {
    case "session_started":
      return `session ${event.sessionId}${event.model ? ` (${event.model})` : ""}`;
    case "message":
      return event.text;
    case "tool_called":
      return `> ${event.tool} ${event.input}`;
    case "tool_finished":
      return event.failed ? `  ${event.tool} failed` : undefined;
    case "question_asked":
      return `? ${event.tool} ${event.input}`;
    case "retrying":
      return `~ retry ${event.attempt}: ${event.message}`;
    case "turn_ended":
      return event.verdict.ok ? undefined : `! ${event.verdict.reason}: ${event.verdict.message}`;
    case "usage":
      return undefined;
  }
}
