import { z } from "zod";
import { doc, milliseconds, VariableName } from "./setting-meta.ts";

/** In whose words a provider of models is spoken to. `package`: a module from outside makes the model. */
const ProviderKind = z.enum(["anthropic", "openai", "google", "openai-compatible", "package"]);

/** Where models of the `builtin` agent are. */
export const ProviderConfig = z.strictObject({
  kind: ProviderKind.meta(
    doc(
      "its API: Anthropic's Messages, OpenAI's Responses, Google's Gemini, OpenAI's Chat Completions as many others serve it, or a package that makes the model",
    ),
  ),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .meta(doc("base URL of the API; null: the maker's own. `openai-compatible` needs it")),
  keyVariable: VariableName.nullable()
    .default(null)
    .meta(doc("the environment variable of the daemon that holds its key; null: it wants none")),
  package: z.string().min(1).nullable().default(null).meta(doc("of kind `package`: the npm package, or the absolute path of a module")),
});
export type ProviderConfig = z.infer<typeof ProviderConfig>;
/** A model, and how its provider is asked. No key: that is in the program's environment, by the name that is told here. */
export const OrderedModel = ProviderConfig.extend({
  /** What people know the provider by. */
  provider: z.string(),
  /** What the provider knows the model by. */
  model: z.string(),
  /** Of kind `package`: the absolute path of the module. */
  package: z.string().nullable(),
});
export type OrderedModel = z.infer<typeof OrderedModel>;

export const ProviderName = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "use a-z, 0-9 and -, beginning with a letter or digit");

/** A model by its provider and the name that this knows it by. */
export const ModelOfProvider = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*\/\S+$/, "use PROVIDER/MODEL")
  .meta(doc("a provider of `providers`, and the name by which it knows the model"));

/** The limits of the `builtin` agent. */
export const BuiltinConfig = z.strictObject({
  callsMax: z.int().min(1).max(10_000).default(200).meta(doc("how often one run may ask its model; then it has failed")),
  outputTokensMax: z.int().min(256).max(1_000_000).default(16_000).meta(doc("the most that a model may answer at once, tokens")),
  retries: z.int().min(0).max(100).default(5).meta(doc("how often a request that failed is made again")),
  retryDelayMs: milliseconds(0)
    .default(2000)
    .meta(doc("wait before the first repetition, doubled for each further one, where the provider asks for none, milliseconds")),
  retryWaitMaxMs: milliseconds(0)
    .default(60_000)
    .meta(doc("the longest wait within a run; where the provider asks for a longer one the run ends and its task waits, milliseconds")),
  firstChunkTimeoutMs: milliseconds(1).default(120_000).meta(doc("how long a model may take to begin its answer, milliseconds")),
  chunkTimeoutMs: milliseconds(1).default(60_000).meta(doc("how long it may pause in it, milliseconds")),
  callTimeoutMs: milliseconds(1).default(900_000).meta(doc("how long an answer may take as a whole, milliseconds")),
  commandTimeoutMs: milliseconds(1).default(600_000).meta(doc("a command that the agent runs is ended after this time, milliseconds")),
});
export type BuiltinConfig = z.infer<typeof BuiltinConfig>;
