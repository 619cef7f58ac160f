import { Option, type Command } from "commander";
import type { Act } from "../action.ts";
import { afterOption, examples, limitOption, wholeNumber } from "./options.ts";

export function defineRuns(program: Command, act: Act): void {
  const worker = program.command("worker").description("look at the workers and stop one");
  const loadWorker = () => import("../commands/worker.ts");
  worker
    .command("list")
    .description("the worker pool and what each does")
    .action(act(async () => (await loadWorker()).list));
  examples(
    worker
      .command("stop")
      .description("end what a worker does; its task is cancelled, its work saved")
      .argument("<worker>", "its number", wholeNumber),
    ["drover worker stop 2"],
  ).action(act(async () => (await loadWorker()).stop));

  const run = program.command("run").description("look at runs and answer what an agent asks");
  const loadRun = () => import("../commands/run.ts");
  const list = run
    .command("list")
    .description("runs, the newest first")
    .option("-p, --project <name>", "of one project")
    .option("-t, --task <task>", "of one task")
    .option("--open", "only those that go on")
    .addOption(limitOption())
    .addOption(afterOption());
  examples(list, ["drover run list --open"]).action(act(async () => (await loadRun()).list));
  const hooks = run
    .command("hooks")
    .description("what the hooks of a run's agent and the daemon told of it")
    .argument("<run>", "its id")
    .addOption(new Option("--category <category>", "only these").choices(["tool", "session", "error", "state"]))
    .addOption(limitOption())
    .addOption(afterOption());
  examples(hooks, ["drover run hooks run_0190..."], ["drover run hooks run_0190... --category error"]).action(
    act(async () => (await loadRun()).hooks),
  );
  const answer = run
    .command("answer")
    .description("answer the question that a run's agent waits with")
    .argument("<run>", "its id")
    .option("--allow", "let the agent do it")
    .option("--deny", "do not")
    .option("--question <id>", "which one, where it asks several")
    .option("-m, --message <text>", "what to tell the agent");
  examples(answer, ["drover run answer run_0190... --allow"], ["drover run answer run_0190... --deny -m 'Use npm test'"]).action(
    act(async () => (await loadRun()).answer),
  );
}
