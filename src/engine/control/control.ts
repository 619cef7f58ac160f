import type { Control } from "../../contract/control.ts";
import { agentVerbs } from "./agents.ts";
import { alertVerbs } from "./alerts.ts";
import { boardVerbs } from "./board.ts";
import { chatVerbs } from "./chat.ts";
import { bundleVerbs } from "./bundle.ts";
import { circuitVerbs } from "./circuits.ts";
import { daemonVerbs } from "./daemon.ts";
import { historyVerbs } from "./history.ts";
import { projectVerbs } from "./projects.ts";
import { mergeVerbs } from "./merges.ts";
import { metricsVerbs } from "./metrics.ts";
import { messageVerbs } from "./messages.ts";
import { prdVerbs } from "./prds.ts";
import { queueVerbs } from "./queue.ts";
import { hookVerbs } from "./hooks.ts";
import { reportVerbs } from "./reports.ts";
import { runVerbs } from "./runs.ts";
import type { ControlParts } from "./scope.ts";
import { taskStageVerbs } from "./task-stages.ts";
import { taskTieVerbs } from "./task-ties.ts";
import { taskVerbs } from "./tasks.ts";
import { workflowVerbs } from "./workflows.ts";

/** Everything that can be asked of Drover, one verb a route: whatever a client shows or does goes through here. */
export function createControl(parts: ControlParts): Control {
  return {
    ...daemonVerbs(parts),
    ...historyVerbs(parts),
    ...alertVerbs(parts),
    ...projectVerbs(parts),
    ...taskVerbs(parts),
    ...boardVerbs(parts),
    ...taskTieVerbs(parts),
    ...taskStageVerbs(parts),
    ...bundleVerbs(parts),
    ...prdVerbs(parts),
    ...workflowVerbs(parts),
    ...hookVerbs(parts),
    ...messageVerbs(parts),
    ...metricsVerbs(parts),
    ...runVerbs(parts),
    ...reportVerbs(parts),
    ...agentVerbs(parts),
    ...queueVerbs(parts),
    ...mergeVerbs(parts),
    ...circuitVerbs(parts),
    ...chatVerbs(parts),
  };
}
