import type { ProjectConfig } from "../contract/config.ts";
import type { NewTask } from "../contract/task.ts";
import { workflowOf, type TaskMode } from "../domain/task-mode.ts";
import { contentHash } from "../forge/content-hash.ts";
import type { Issue } from "../forge/forge.ts";
import { hasLabel } from "../forge/labels.ts";
import { visibleText } from "./visible-text.ts";

type Comment = Issue["comments"][number];

/** What an issue asks for at one moment: exactly what the agent of a task made from it would get. */
export interface IssueRequest {
  readonly mode: TaskMode;
  readonly workflow: NewTask["workflow"];
  readonly title: string;
  readonly body: string;
  /** SHA-256 (hex) of title and body, as tasks have it. */
  readonly contentHash: string;
}

// What a task takes (`TaskTitle`, `TaskBody`).
const TITLE_MAX = 500;
const BODY_MAX = 200_000;

/**
 * The request of an issue: its text and the comments by people whose word counts (`github.authors`, `github.labellers`), as
 * readers of the page see them. What was hidden is left out and said so. When all is too long, the oldest comments go.
 */
export function requestOf(issue: Issue, { github, intake }: Pick<ProjectConfig, "github" | "intake">): IssueRequest {
  const counts = (comment: Comment) =>
    (github.authors as readonly string[]).includes(comment.association) || github.labellers.includes(comment.author);
  const title = visibleText(issue.title);
  const body = visibleText(issue.body);
  const comments = issue.comments.filter(counts).map((comment) => ({ ...comment, visible: visibleText(comment.body) }));
  const hidden = [title, body, ...comments.map((comment) => comment.visible)];
  const notes = describeHidden(
    hidden.reduce((sum, part) => sum + part.hiddenComments, 0),
    hidden.reduce((sum, part) => sum + part.hiddenCharacters, 0),
  );
  const mode: TaskMode = hasLabel(issue.labels, intake.planLabels) ? "plan" : "execute";
  const request = {
    title: cut(title.text.replace(/\s+/gu, " ").trim(), TITLE_MAX) || `Issue ${issue.number}`,
    body: assemble(
      body.text.trim(),
      comments.map((comment) => commentText(comment, comment.visible.text)),
      notes,
    ),
  };
  return { mode, workflow: workflowFor(issue, mode, intake), ...request, contentHash: contentHash(request.title, request.body) };
}

/** The workflow of the first of the issue's labels that names one, else that of its mode. */
function workflowFor(issue: Issue, mode: TaskMode, { workflows }: ProjectConfig["intake"]): string {
  const named = Object.entries(workflows).find(([label]) => hasLabel(issue.labels, [label]));
  return named?.[1] ?? workflowOf(mode);
}

function commentText({ author, association, at }: Comment, text: string): string {
  const time = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return `### ${author} (${association}), ${time} UTC\n\n${text.trim()}`;
}

function assemble(body: string, comments: readonly string[], notes: string): string {
  const kept: string[] = [];
  let room = BODY_MAX - notes.length - Math.min(body.length, BODY_MAX / 2) - 1000;
  for (const comment of comments.toReversed()) {
    room -= comment.length + 2;
    if (room < 0) break;
    kept.unshift(comment);
  }
  const left = comments.length - kept.length;
  const parts = [
    body,
    comments.length === 0 ? "" : "## Comments",
    left === 0 ? "" : `(${left} older ${left === 1 ? "comment was" : "comments were"} left out: the text would be too long.)`,
    ...kept,
    notes,
  ];
  return cut(parts.filter((part) => part !== "").join("\n\n"), BODY_MAX);
}

function describeHidden(comments: number, characters: number): string {
  const parts = [
    ...(comments > 0 ? [comments === 1 ? "1 hidden comment" : `${comments} hidden comments`] : []),
    ...(characters > 0 ? [characters === 1 ? "1 invisible character" : `${characters} invisible characters`] : []),
  ];
  return parts.length === 0 ? "" : `(Left out, because it does not show on the issue's page: ${parts.join(" and ")}.)`;
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;
}
