import { pathToFileURL } from "node:url";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModel } from "ai";
import { AppError, messageOf } from "../base/errors.ts";
import type { OrderedModel } from "../contract/provider.ts";

/** A model of the AI SDK (https://ai-sdk.dev), not merely the name of one. */
export type Model = Exclude<LanguageModel, string>;

/** What a package of a provider's exports by default: it makes the model of a name. */
export type ModelFactory = (wanted: WantedModel) => Model | Promise<Model>;

export interface WantedModel {
  /** What the provider knows it by. */
  readonly model: string;
  /** Of the configuration. */
  readonly baseUrl: string | null;
  /** Its value, not its variable; null: the configuration names none. */
  readonly key: string | null;
}

/** The model of an order. Throws `invalid` when a package makes none, saying why. */
export async function openModel(ordered: OrderedModel, env: Readonly<Record<string, string | undefined>>): Promise<Model> {
  const { kind, model, provider, baseUrl } = ordered;
  const key = ordered.keyVariable === null ? null : (env[ordered.keyVariable] ?? "");
  // Always given, so that no variable of the environment counts that the configuration does not name.
  const options = { apiKey: key ?? "", ...(baseUrl !== null && { baseURL: baseUrl }) };
  switch (kind) {
    case "anthropic":
      return createAnthropic(options)(model);
    case "openai":
      return createOpenAI(options)(model);
    case "google":
      return createGoogle(options)(model);
    case "openai-compatible":
      return createOpenAICompatible({ name: provider, baseURL: baseUrl ?? "", includeUsage: true, ...(key !== null && { apiKey: key }) })(
        model,
      );
    case "package":
      return fromPackage(ordered.package ?? "", { model, baseUrl, key });
  }
}

async function fromPackage(path: string, wanted: WantedModel): Promise<Model> {
  const unfit = (why: string, cause?: unknown) =>
    new AppError("invalid", `The provider's package ${path} can't be used: ${why}. See docs/guides/builtin-agent.md.`, { cause });
  let made: unknown;
  try {
    const { default: factory } = (await import(pathToFileURL(path).href)) as { default?: unknown };
    if (typeof factory !== "function") throw unfit("its default export is not a function that makes a model");
    made = await (factory as ModelFactory)(wanted);
  } catch (thrown) {
    throw thrown instanceof AppError ? thrown : unfit(messageOf(thrown), thrown);
  }
  if (!isModel(made)) throw unfit("its function returns no model of the AI SDK");
  return made;
}

function isModel(made: unknown): made is Model {
  return typeof made === "object" && made !== null && typeof (made as { doStream?: unknown }).doStream === "function";
}
