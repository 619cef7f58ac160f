import { Command } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import { actionsAround } from "./action.ts";
import type { Surroundings } from "./cli.ts";
import { defineAgents } from "./definitions/agent.ts";
import { defineAlerts } from "./definitions/alert.ts";
import { defineCircuits } from "./definitions/circuit.ts";
import { defineConfig } from "./definitions/config.ts";
import { defineDashboard } from "./definitions/dashboard.ts";
import { defineDaemon, defineDoctor, defineShortcuts, defineStore } from "./definitions/daemon.ts";
import { defineGraph } from "./definitions/graph.ts";
import { defineDemo, defineExamples, defineHelp } from "./definitions/help.ts";
import { defineHistory } from "./definitions/history.ts";
import { defineMcp } from "./definitions/mcp.ts";
import { defineMerges } from "./definitions/merge.ts";
import { defineMessages } from "./definitions/message.ts";
import { defineInit, defineProjects } from "./definitions/project.ts";
import { definePlans } from "./definitions/plan.ts";
import { definePrds } from "./definitions/prd.ts";
import { defineQueue, defineQueueShortcuts } from "./definitions/queue.ts";
import { defineRuns } from "./definitions/run.ts";
import { defineSupervision } from "./definitions/supervision.ts";
import { defineTasks } from "./definitions/task.ts";
import { defineTui } from "./definitions/tui.ts";
import { defineWorkflows } from "./definitions/workflow.ts";
import { Shown } from "../words/shown.ts";

/** Every command, with its help. What a command does is loaded when it is called. */
export function createProgram(around: Surroundings): Command {
  const program = createCommands(around);
  defineHelp(program.commandsGroup("Help:"), around, () => createCommands(around));
  return program;
}

function createCommands(around: Surroundings): Command {
  const act = actionsAround(around);
  const terminal = around.terminal({ color: true });
  const program = new Command("drover")
    .description(
      "Turns issues into verified pull requests: schedules coding agents over all your projects, checks their work itself, and never loses any of it.",
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(Shown.lines(text.trimEnd())),
      writeErr: (text) => terminal.note(Shown.lines(text.trimEnd())),
      // Wrong usage is said by `runCli`, in the form of every other failure.
      outputError: () => undefined,
    })
    .configureHelp({ showGlobalOptions: true })
    .version(packageFile.version)
    .option("--json", "print JSON, in a form that stays the same")
    .option("--no-color", "print no colours; so does NO_COLOR")
    .option("--home <folder>", "Drover's home (default: DROVER_HOME, or ~/.drover)")
    .option("-y, --yes", "agree where a command asks");

  program.commandsGroup("First steps:");
  defineDemo(program, act);
  defineExamples(program, act);
  defineInit(program, act);
  defineProjects(program, act);
  defineDoctor(program, act);
  program.commandsGroup("Work:");
  defineTasks(program, act, () => around.clock.now());
  definePlans(program, act);
  definePrds(program, act);
  defineWorkflows(program, act);
  defineSupervision(program, act);
  defineGraph(program, act);
  defineQueue(program, act);
  defineMerges(program, act);
  defineAgents(program, act);
  defineRuns(program, act);
  defineHistory(program, act);
  defineDashboard(program, act);
  defineAlerts(program, act);
  defineMessages(program, act);
  defineMcp(program, act);
  defineTui(program, act);
  program.commandsGroup("The daemon:");
  defineDaemon(program, act);
  defineConfig(program, act);
  defineStore(program, act);
  defineCircuits(program, act);
  program.commandsGroup("Short for drover daemon and drover queue:");
  defineShortcuts(program, act);
  defineQueueShortcuts(program, act);
  return program;
}
