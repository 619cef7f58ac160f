import type { z } from "zod";
import { Config } from "../contract/config.ts";
import type { ProviderConfig } from "../contract/provider.ts";
import type { Layer } from "./layer.ts";
import { configError, type Problem, shown } from "./problem.ts";
import { describeAllowed, keyOf, type Path, schemaAt, sections, settingSchemas } from "./schema.ts";
import { nearest } from "./suggestion.ts";
import { deepFreeze, depthOf, merge, type Tree } from "./tree.ts";

/** The built-in layer under all others. */
const defaults: Tree = Config.parse({});

/**
 * The configuration that layers give, the later over the earlier, frozen. Throws `invalid` with the problems of all
 * layers at once, each told where its value was written, those included that a later layer overrides.
 */
export function checkLayers(layers: readonly Layer[]): Config {
  const problems = layers.flatMap((layer, index) => {
    const upToHere = layers.slice(0, index + 1);
    const mistakes = (Config.safeParse(mergeLayers(upToHere)).error?.issues ?? []).flatMap((issue) => mistakesOf(issue, layer));
    // What an earlier layer got wrong was told at its turn.
    const own = mistakes.filter(({ path }) => ownerOf(upToHere, path) === layer);
    const found = own.map(({ path, message, ofName }) => layer.problem(path, message, ofName));
    return found.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  });
  if (problems.length > 0) throw configError(problems);
  const config = Config.parse(mergeLayers(layers));
  const conflicts = conflictsIn(config);
  if (conflicts.length > 0) throw configError(conflicts.map(({ path, message }) => problemAt(layers, path, message)));
  return deepFreeze(config);
}

/** The values of all layers over the built-in ones, unchecked. */
export function mergeLayers(layers: readonly Layer[]): Tree {
  return layers.reduce((values, layer) => merge(values, layer.values), defaults);
}

interface Mistake {
  readonly path: Path;
  readonly message: string;
  /** The name is wrong, not the value. */
  readonly ofName?: boolean;
}

function mistakesOf(issue: z.core.$ZodIssue, layer: Layer): Mistake[] {
  const path = issue.path as Path;
  const key = keyOf(path);
  if (issue.code === "unrecognized_keys") return issue.keys.map((name) => unknownSetting([...path, name]));
  if (issue.code === "invalid_key") return [{ path, ofName: true, message: `${key} is not a good name: ${issue.issues[0]?.message}.` }];
  const node = schemaAt(path) ?? {};
  const written = layer.writtenAt(path);
  if (written === undefined) return [{ path, message: `${key} is missing; it must be ${describeAllowed(node)}.` }];
  const allowed = issue.code === "invalid_format" && issue.format === "regex" ? issue.message : `allowed: ${describeAllowed(node)}`;
  return [{ path, message: `${key} is ${shown(written)}; ${allowed}.` }];
}

function unknownSetting(path: Path): Mistake {
  const around = path.slice(0, -1);
  const siblings = Object.keys(schemaAt(around)?.properties ?? {}).map((name) => keyOf([...around, name]));
  const known = new Set([...siblings, ...settingSchemas.map((setting) => setting.key), ...Object.keys(sections)]);
  const near = nearest(keyOf(path), [...known]);
  const hint = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
  return { path, ofName: true, message: `${keyOf(path)} is not a setting.${hint}` };
}

/** What no single setting shows: settings that do not fit each other. */
function conflictsIn(config: Config): Mistake[] {
  const { daemon, agents, alerts, providers, models, defaults: tasks } = config;
  const conflicts: Mistake[] = [];
  if (!daemon.allowRemote && !/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(daemon.host)) {
    const message = `daemon.host is ${shown(daemon.host)}, which other machines can reach. Set daemon.allowRemote to true if that is meant.`;
    conflicts.push({ path: ["daemon", "host"], message });
  }
  for (const [name, agent] of Object.entries(agents)) {
    if (!["command", "acp"].includes(agent.driver) || agent.command.length > 0) continue;
    const message = `agents.${name}.command is empty; the driver "${agent.driver}" needs the program to run.`;
    conflicts.push({ path: ["agents", name, "command"], message });
  }
  return [
    ...conflicts,
    ...unfitProviders({ providers, models }),
    ...unknownAgents({ agents, defaults: tasks }),
    ...incompleteChannels(alerts),
    ...unknownRates(config),
  ];
}

/** What a kind of provider can't do without. */
const NEEDED_OF_PROVIDERS: Partial<Record<ProviderConfig["kind"], "baseUrl" | "package">> = {
  "openai-compatible": "baseUrl",
  package: "package",
};

function unfitProviders({ providers, models }: Pick<Config, "providers" | "models">): Mistake[] {
  const lacking = Object.entries(providers).flatMap(([name, provider]) => {
    const setting = NEEDED_OF_PROVIDERS[provider.kind];
    if (setting === undefined || provider[setting] !== null) return [];
    const path = ["providers", name, setting];
    return [{ path, message: `${keyOf(path)} is missing; a provider of kind "${provider.kind}" needs it.` }];
  });
  const unknown = Object.entries(models).flatMap(([name, model]) => {
    const provider = model.split("/", 1)[0] ?? "";
    if (Object.hasOwn(providers, provider)) return [];
    const message = `${keyOf(["models", name])} is ${shown(model)}; there is no provider ${provider}, but ${Object.keys(providers).join(", ")}.`;
    return [{ path: ["models", name], message }];
  });
  return [...lacking, ...unknown];
}

function unknownAgents({ agents, defaults: { agent, handOver, stages } }: Pick<Config, "agents" | "defaults">): Mistake[] {
  const named: [path: Path, name: string | undefined][] = [
    [["defaults", "agent"], agent],
    ...handOver.map((name, index): [Path, string] => [["defaults", "handOver", index], name]),
    ...Object.entries(stages).map(([stage, its]): [Path, string | undefined] => [["defaults", "stages", stage, "agent"], its.agent]),
  ];
  return named.flatMap(([path, name]) => {
    if (name === undefined || Object.hasOwn(agents, name)) return [];
    return [{ path, message: `${keyOf(path)} is ${shown(name)}; allowed: one of agents, which are ${Object.keys(agents).join(", ")}.` }];
  });
}

function unknownRates({ rates, agents, workflows, defaults }: Config): Mistake[] {
  const named: [path: Path, rate: string | null][] = [[["defaults", "rate"], defaults.rate]];
  for (const [name, { rate }] of Object.entries(agents)) named.push([["agents", name, "rate"], rate]);
  for (const [name, { rate }] of Object.entries(workflows)) named.push([["workflows", name, "rate"], rate]);
  return named.flatMap(([path, rate]) => {
    if (rate === null || Object.hasOwn(rates, rate)) return [];
    return [
      { path, message: `${keyOf(path)} is ${shown(rate)}; allowed: one of rates, which are ${Object.keys(rates).join(", ") || "none"}.` },
    ];
  });
}

/** What each kind of channel can't do without. */
const NEEDED = { slack: ["urlVariable"], webhook: ["urlVariable"], telegram: ["tokenVariable", "chatId"], desktop: [] } as const;

function incompleteChannels({ channels }: Config["alerts"]): Mistake[] {
  return Object.entries(channels).flatMap(([name, channel]) =>
    NEEDED[channel.kind]
      .filter((setting) => channel[setting] === null)
      .map((setting) => {
        const message = `alerts.channels.${name}.${setting} is missing; a channel of kind ${channel.kind} needs it.`;
        return { path: ["alerts", "channels", name, setting], message };
      }),
  );
}

function problemAt(layers: readonly Layer[], path: Path, message: string): Problem {
  return ownerOf(layers, path)?.problem(path, message) ?? { path: keyOf(path), place: null, line: null, column: null, message };
}

/** The layer where the value at a path was written; for one that is missing, where that was written which should hold it. */
function ownerOf(layers: readonly Layer[], path: Path): Layer | undefined {
  let owner: Layer | undefined;
  let deepest = 1;
  for (const layer of layers) {
    const depth = depthOf(layer.values, path);
    if (depth < deepest) continue;
    owner = layer;
    deepest = depth;
  }
  return owner;
}
