import { z } from "zod";
import { ProjectName } from "./project.ts";
import { doc, milliseconds } from "./setting-meta.ts";

/** When agents look at the work of others without being asked. */
export const SupervisionConfig = z.strictObject({
  projectEveryMs: milliseconds(60_000)
    .nullable()
    .default(null)
    .meta(
      doc("how often a supervisory agent looks over a project in which agents were at work since; null: only when asked, milliseconds"),
    ),
  systemEveryMs: milliseconds(60_000)
    .nullable()
    .default(null)
    .meta(doc("how often a manager agent looks over all projects; null: only when asked, milliseconds", { scope: "global" })),
  systemProject: ProjectName.nullable()
    .default(null)
    .meta(
      doc("the project in which the manager agent's tasks are filed, by whose settings it works; null: the first that was registered", {
        scope: "global",
      }),
    ),
});
