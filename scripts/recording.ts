import { join } from "node:path";
import type { AgentBench } from "../test/support/agent-bench.ts";

/** Where this tree lies, which agents installed in it tell in their stacks. */
const ROOT = join(import.meta.dirname, "..");

/** Without this machine's paths and times, and no longer than it helps. */
export function anonymous(value: unknown, bench: AgentBench): unknown {
  if (typeof value === "string") {
    const text = value
      .replaceAll(bench.workspace, "/workspace")
      .replaceAll(bench.folder, "/task")
      .replaceAll(bench.folder.replaceAll(/[^A-Za-z0-9]/gu, "-"), "-task")
      .replaceAll(ROOT, "/drover")
      .replaceAll(/cc-socks\/\d+/gu, "cc-socks/1")
      .replaceAll(/127\.0\.0\.1:\d+/gu, "127.0.0.1:4000")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, "2026-01-01T00:00:00.000Z");
    return text.length > 300 ? `${text.slice(0, 300)}…` : text;
  }
  if (Array.isArray(value)) return value.slice(0, 5).map((item) => anonymous(item, bench));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, anonymous(item, bench)]));
}

/** Each UUID by its place, so that a new recording differs only where the agent does. */
export function withoutIds(text: string): string {
  const seen = new Map<string, string>();
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gu, (id) => {
    const place = seen.get(id) ?? `00000000-0000-4000-8000-${`${seen.size + 1}`.padStart(12, "0")}`;
    seen.set(id, place);
    return place;
  });
}
