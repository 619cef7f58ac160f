import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { ToolAudit } from "./tools/tool.ts";

const SUBJECT_MAX = 4000;

/**
 * Keeps what was refused where people look for it: as hook events, by the spool of the run. What was done, or failed, the
 * program's own lines tell.
 * @param spool null: nowhere.
 */
export function refusalsTo(spool: string | null): (entry: ToolAudit) => void {
  if (spool === null) return () => {};
  mkdirSync(dirname(spool), { recursive: true, mode: 0o700 });
  return ({ tool, subject, outcome, message }) => {
    if (outcome !== "refused") return;
    const payload = { hook_event_name: "PermissionDenied", tool_name: tool, subject: subject.slice(0, SUBJECT_MAX), message };
    appendFileSync(spool, `${JSON.stringify(payload)}\n`, { mode: 0o600 });
  };
}
