import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TaskBundle } from "../../contract/bundle.ts";
import type { Proof } from "../../contract/proof.ts";
import type { Run } from "../../contract/run.ts";
import { safeText } from "../../base/text.ts";
import { getProject } from "../../store/projects.ts";
import { listRuns } from "../../store/runs.ts";
import { runDirectory } from "../job.ts";
import { readTranscript } from "./runs.ts";
import { requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Files = TaskBundle["files"];

const RUNS_MAX = 50;
/** Of one file, characters; the end of a transcript is what tells most. */
const TEXT_MAX = 1_000_000;

/** What shows how a task was done: prompts, patch, what the checks said, cost, and what the agents did. */
export function bundleVerbs(parts: ControlParts): Verbs<"getTaskBundle"> {
  const { reader } = parts.database;

  return {
    async getTaskBundle({ params, signal }) {
      const task = requireTask(reader, params.task);
      const runs = listRuns(reader, { taskId: task.id, limit: RUNS_MAX }).toReversed();
      const patch = await parts.workspaces.diff(getProject(reader, task.projectId), task, null);
      const files: Files = [
        file("task.json", JSON.stringify({ ...task, runs: runs.map(costOf) }, null, 2)),
        file("request.md", `# ${task.title}\n\n${task.body}\n`),
        file("changes.patch", patch),
      ];
      for (const [index, run] of runs.entries()) files.push(...(await runFiles(run, index + 1, signal)));
      return { task: task.key, files: files.map(({ name, text }) => ({ name, text: parts.redact(safeText(text)) })) };
    },
  };

  async function runFiles(run: Run, number: number, signal: AbortSignal): Promise<Files> {
    const folder = `run-${number}`;
    const proof = run.outcome && "proof" in run.outcome ? run.outcome.proof : null;
    const lines: string[] = [];
    for await (const line of readTranscript(parts, run, { follow: false, raw: false }, signal)) lines.push(line.text);
    return [
      file(`${folder}/prompt.md`, await promptOf(run)),
      file(`${folder}/outcome.json`, JSON.stringify(run.outcome, null, 2)),
      ...(proof === null ? [] : checkFiles(folder, proof)),
      file(`${folder}/transcript.txt`, lines.join("\n")),
    ];
  }

  async function promptOf(run: Run): Promise<string> {
    try {
      return await readFile(join(runDirectory(parts, run), "prompt.md"), "utf8");
    } catch {
      // A run that needed no agent, or one whose folder was swept: the rest of the bundle is there all the same.
      return "There is no prompt of this run.\n";
    }
  }
}

function checkFiles(folder: string, { checks, gate }: Proof): Files {
  const ran = checks.flatMap(({ command, verdict, base, head }, index) => [
    file(
      `${folder}/check-${index + 1}.txt`,
      [
        `$ ${command}`,
        `verdict: ${verdict}`,
        "",
        `on the base: exit ${base.exitCode}`,
        base.outputTail,
        "",
        `on the result: exit ${head.exitCode}`,
        head.outputTail,
      ].join("\n"),
    ),
  ]);
  return gate ? [...ran, file(`${folder}/gate.txt`, gate.log)] : ran;
}

function costOf({ id, stage, attempt, iteration, agent, usage, startedAt, finishedAt }: Run) {
  return { id, stage, attempt, iteration, agent, usage, startedAt, finishedAt };
}

function file(name: string, text: string): Files[number] {
  return { name, text: text.length <= TEXT_MAX ? text : `(The beginning was cut.)\n${text.slice(-TEXT_MAX)}` };
}
