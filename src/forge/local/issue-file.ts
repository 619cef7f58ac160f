import { parse } from "yaml";
import { z } from "zod";
import { AppError, messageOf } from "../../base/errors.ts";

/** What an issue's file says. */
export interface IssueText {
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly open: boolean;
  readonly author: string | null;
}

const Text = z.union([z.string(), z.number()]).transform(String);
const FrontMatter = z.object({
  title: Text.optional(),
  labels: z.union([z.array(Text), Text.transform((label) => [label])]).default([]),
  state: z.enum(["open", "closed"]).default("open"),
  author: Text.nullable().default(null),
});

const FRONT_MATTER = /^---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;
const HEADING = /^#{1,6}[ \t]+(\S.*)$/m;
const TITLE_MAX = 500;
const FRONT_MATTER_MAX = 64 * 1024;

/**
 * Reads an issue's Markdown: YAML front matter with `title`, `labels`, `state` (`open` or `closed`) and `author`, all
 * optional, then the body. Without a title there, the first heading is the title and no longer part of the body.
 * Throws `invalid` saying what is wrong.
 */
export function parseIssue(text: string): IssueText {
  const whole = text.replace(/^\uFEFF/, "");
  const head = FRONT_MATTER.exec(whole);
  const front = readFrontMatter(head?.[1] ?? "");
  const rest = whole.slice(head?.[0].length ?? 0);
  const heading = front.title === undefined ? HEADING.exec(rest) : null;
  const title = (front.title ?? heading?.[1] ?? "").slice(0, TITLE_MAX).trim();
  if (title === "") throw new AppError("invalid", "It has neither a `title` in its front matter nor a heading.");
  const body = heading === null ? rest : rest.slice(0, heading.index) + rest.slice(heading.index + heading[0].length);
  return { title, body: body.trim(), labels: front.labels, open: front.state === "open", author: front.author };
}

function readFrontMatter(yaml: string): z.output<typeof FrontMatter> {
  if (yaml.length > FRONT_MATTER_MAX) throw new AppError("invalid", "Its front matter is longer than 64 KB.");
  const parsed = FrontMatter.safeParse(parseYaml(yaml) ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError("invalid", `Its front matter is not right: ${issue?.path.join(".")}: ${issue?.message}.`);
}

function parseYaml(yaml: string): unknown {
  try {
    // No aliases: a short text with nested ones can stand for gigabytes.
    return parse(yaml, { schema: "core", maxAliasCount: 0, prettyErrors: true });
  } catch (error) {
    throw new AppError("invalid", `Its front matter is no YAML: ${messageOf(error)}`, { cause: error });
  }
}
