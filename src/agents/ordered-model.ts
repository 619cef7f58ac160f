import { AppError } from "../base/errors.ts";
import type { ModelSettings } from "../contract/config.ts";
import type { OrderedModel, ProviderConfig } from "../contract/provider.ts";
import { chooseModel } from "./model-choice.ts";
import { findModule, missingModule } from "./outside-module.ts";

/** Where the makers serve their models. */
const BASE_URLS: Partial<Record<ProviderConfig["kind"], string>> = {
  anthropic: "https://api.anthropic.com/v1",
  openai: "https://api.openai.com/v1",
  google: "https://generativelanguage.googleapis.com/v1beta",
};

/**
 * The model that a name stands for (`chooseModel`), as our own program is told of it.
 * @param home where packages of the person's are installed.
 */
export function orderedModel(name: string | null, settings: Pick<ModelSettings, "models" | "providers">, home: string): OrderedModel {
  const { provider, model, config } = chooseModel(name, settings);
  const { kind, keyVariable } = config;
  if (kind === "package") {
    return {
      provider,
      model,
      kind,
      keyVariable,
      baseUrl: config.baseUrl,
      package: requireModule(`provider ${provider}`, config.package ?? "", home),
    };
  }
  return { provider, model, kind, keyVariable, baseUrl: config.baseUrl ?? BASE_URLS[kind] ?? null, package: null };
}

/** Where a module from outside is. Throws `invalid` with `details.reason` `agent_missing`. */
export function requireModule(what: string, name: string, home: string): string {
  const found = findModule(name, home);
  if (found) return found.path;
  throw new AppError("invalid", `The ${what} can't be loaded from ${name}: there is ${missingModule(name, home)}.`, {
    reason: "agent_missing",
  });
}
