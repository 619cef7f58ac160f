import { AppError } from "../base/errors.ts";
import type { ModelSettings } from "../contract/config.ts";
import type { ProviderConfig } from "../contract/provider.ts";

/** A model of a configured provider. */
export interface ModelChoice {
  /** What people know the provider by. */
  readonly provider: string;
  /** What the provider knows the model by. */
  readonly model: string;
  readonly config: ProviderConfig;
}

/**
 * The model that an agent's `model` stands for: an alias of `models`, or PROVIDER/MODEL. Throws `invalid` with
 * `details.reason` `agent_missing`, naming what there is.
 */
export function chooseModel(name: string | null, { models, providers }: Pick<ModelSettings, "models" | "providers">): ModelChoice {
  const wanted = name !== null && Object.hasOwn(models, name) ? models[name] : name;
  const [, provider, model] = /^([^/]+)\/(.+)$/u.exec(wanted ?? "") ?? [];
  if (provider === undefined || model === undefined) {
    const known = Object.keys(models).join(", ");
    throw missing(
      `${name === null ? "It has no `model`" : `There is no model ${name}`}. Set the agent's model to PROVIDER/MODEL, or to one of models: ${known}.`,
    );
  }
  const config = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
  if (config === undefined) {
    throw missing(
      `There is no provider ${provider} for the model ${wanted}. There is: ${Object.keys(providers).join(", ")}. Add it to providers.`,
    );
  }
  return { provider, model, config };
}

function missing(message: string): AppError {
  return new AppError("invalid", message, { reason: "agent_missing" });
}
