import { configError } from "../config/problem.ts";
import { isTree, valueAt, type Tree } from "../config/tree.ts";
import { parseYaml } from "../config/yaml-text.ts";
import type { WorkflowSource } from "./source.ts";

/** What a project's `WORKFLOW.md` is called here. */
const SYMPHONY_NAME = "symphony";

const FRONT_MATTER = /^---\r?\n(?<yaml>[\s\S]*?)\r?\n---\r?\n?(?<body>[\s\S]*)$/u;
const DEFAULT_PROMPT = "You are working on an issue.\n\n{{> request}}\n";

/**
 * A `WORKFLOW.md` of the Symphony service specification (github.com/openai/symphony, SPEC.md section 5, draft v1) as a
 * workflow of one stage: its body is the prompt, `codex.turn_timeout_ms` and `codex.stall_timeout_ms` are its limits. What
 * else its front matter says is the project's configuration here, and left out. Throws `invalid` for one that is no YAML mapping, and
 * for Liquid that has no counterpart.
 */
export function symphonyWorkflow(file: string, text: string): WorkflowSource {
  const { yaml = "", body = text } = FRONT_MATTER.exec(text)?.groups ?? {};
  const config = yaml.trim() === "" ? {} : parseYaml(file, yaml).values();
  const prompt = body.trim() === "" ? DEFAULT_PROMPT : toHandlebars(file, body.trim());
  const values: Tree = {
    name: SYMPHONY_NAME,
    description: "What WORKFLOW.md says",
    stages: [{ name: "implement", prompt: `${prompt}\n`, followUp: "repair.md", yields: "commit", limits: limitsOf(config) }],
  };
  return { name: SYMPHONY_NAME, file, values, text: undefined };
}

function limitsOf(config: Tree): Tree {
  const milliseconds = (key: string): number | undefined => {
    const value = Number(valueAt(config, ["codex", key]));
    return isTree(config["codex"]) && Number.isSafeInteger(value) && value >= 1000 ? value : undefined;
  };
  const [runTimeoutMs, timeoutMs] = [milliseconds("turn_timeout_ms"), milliseconds("stall_timeout_ms")];
  return { ...(runTimeoutMs !== undefined && { runTimeoutMs }), ...(timeoutMs !== undefined && { timeoutMs }) };
}

/** The tags of Liquid that have a counterpart. Their conditions are single variables, as in the specification's examples. */
const TAGS: readonly [RegExp, string][] = [
  [/^if\s+([\w.]+)$/u, "{{#if $1}}"],
  [/^unless\s+([\w.]+)$/u, "{{#unless $1}}"],
  [/^else$/u, "{{else}}"],
  [/^end(if|unless)$/u, "{{/$1}}"],
  [/^for\s+(\w+)\s+in\s+([\w.]+)$/u, "{{#each $2 as |$1|}}"],
  [/^endfor$/u, "{{/each}}"],
];

function toHandlebars(file: string, body: string): string {
  return body.replaceAll(/\{%-?\s*(.*?)\s*-?%\}/gu, (whole, tag: string, offset: number) => {
    const rule = TAGS.find(([pattern]) => pattern.test(tag));
    if (rule) return tag.replace(...rule);
    const line = body.slice(0, offset).split("\n").length;
    const message = `\`${whole}\` (line ${line} of the prompt) has no counterpart here; there is: if, unless, else and for over one variable.`;
    throw configError([{ path: "prompt", place: file, line: null, column: null, message }]);
  });
}
