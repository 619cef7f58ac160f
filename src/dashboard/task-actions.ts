import type { Card } from "../contract/board.ts";
import { useClient } from "./live/use-live.ts";
import type { MenuItem } from "./ui/menu.tsx";
import { useDo } from "./ui/toasts.tsx";

export type Actable = Pick<Card, "key" | "status" | "reason" | "priority">;

/** What a person can do with a task as it is now. */
export function useTaskActions(): (task: Actable) => MenuItem[] {
  const client = useClient();
  const attempt = useDo();
  return ({ key, status, reason, priority }) => {
    const params = { task: key };
    const to = (next: number, name: string) => ({
      name,
      run: () => void attempt(() => client.changeTask({ params, body: { priority: next } }), `${key} has priority ${next}.`),
    });
    const hasEnded = status === "succeeded" || status === "failed" || status === "cancelled";
    const isPlanned = status === "draft" || status === "queued" || status === "waiting" || status === "blocked";
    return [
      ...(reason === "approval" && status === "blocked"
        ? [{ name: "Approve", run: () => void attempt(() => client.approveTask({ params }), `${key} goes on.`) }]
        : []),
      ...(isPlanned && priority < 100 ? [to(100, "Move to the top"), to(Math.min(100, priority + 10), "Move up")] : []),
      ...(isPlanned && priority > 0 ? [to(Math.max(0, priority - 10), "Move down")] : []),
      ...(status === "failed" || status === "cancelled" || status === "blocked"
        ? [{ name: "Retry", run: () => void attempt(() => client.retryTask({ params }), `${key} is queued again.`) }]
        : []),
      ...(hasEnded
        ? []
        : [
            {
              name: "Cancel",
              isBad: true,
              run: () => void attempt(() => client.cancelTask({ params }), `${key} is cancelled; its work is saved.`),
            },
          ]),
    ];
  };
}
