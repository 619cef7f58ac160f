import { AppError } from "../base/errors.ts";
import type { AgentConfig } from "../contract/config.ts";

/** Throws `invalid` for an agent that is to ask a person for each tool and, headless, has no way to. */
export function refuseToAsk(product: string, { permissions }: AgentConfig): void {
  if (permissions === "ask") throw new AppError("invalid", cannotAsk(product), { reason: "agent_missing" });
}

export function cannotAsk(product: string): string {
  return `${product} can't ask a person when it runs headless, so permissions \`ask\` are not possible. Use the driver \`acp\`, which asks, or permissions \`edit\`.`;
}
