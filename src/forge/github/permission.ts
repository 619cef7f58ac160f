import { z } from "zod";
import { AppError } from "../../base/errors.ts";
import type { ForgeProject, Issue, Permission } from "../forge.ts";
import { contentHash } from "../content-hash.ts";
import { hasLabel } from "../labels.ts";
import { apiAddress, graphqlAddress } from "./address.ts";
import { repositoryOf, type GithubClient } from "./client.ts";
import { EditedTextData, IssueEventData, PermissionData } from "./responses.ts";

/** The latest time that somebody put one of the intake labels on, and who. */
interface Labelling {
  readonly labeller: string | null;
  readonly isBot: boolean;
  readonly at: number;
  readonly renamedSince: boolean;
}

const EDITED_TEXT = `query ($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) { issue(number: $number) { title body lastEditedAt } }
}`;

/**
 * Whether an issue may start work: a label is only a wish, what counts is who wrote the text and who put the label on.
 * A text by somebody else than `github.authors` is approved as it was when a person with write access labelled it; after a
 * later edit the label has to be put on again.
 */
export async function mayStart(client: GithubClient, target: ForgeProject, issue: Issue, signal: AbortSignal): Promise<Permission> {
  const { authors, labellers } = target.config.github;
  const labelling = await findLabelling(client, target, issue, signal);
  const { labeller, isBot } = labelling;
  const actor = labeller ?? issue.author;

  if (labeller !== null && isBot && !labellers.includes(labeller)) {
    return { allowed: false, actor, reason: `the label was put on by ${labeller}, a bot; a person has to` };
  }
  if ((authors as readonly string[]).includes(issue.association) && !issue.author.endsWith("[bot]")) {
    return { allowed: true, actor, reason: `written by ${issue.author} (${issue.association})` };
  }
  if (labeller === null) {
    return { allowed: false, actor, reason: `written by ${issue.author} (${issue.association}), and nobody known put the label on` };
  }
  if (!labellers.includes(labeller) && !(await canWrite(client, target, labeller, signal))) {
    return {
      allowed: false,
      actor,
      reason: `written by ${issue.author} (${issue.association}) and labelled by ${labeller}, who has no write access`,
    };
  }
  if (await wasEditedSince(client, target, issue, labelling, signal)) {
    return {
      allowed: false,
      actor,
      reason: `${issue.author} (${issue.association}) changed the text after ${labeller} put the label on; read it and put the label on again`,
    };
  }
  return { allowed: true, actor, reason: `labelled by ${labeller}` };
}

async function findLabelling(client: GithubClient, target: ForgeProject, issue: Issue, signal: AbortSignal): Promise<Labelling> {
  const events = await client.list(
    target,
    {
      route: "GET /repos/{owner}/{repo}/issues/{issue_number}/events",
      parameters: { issue_number: issue.number },
      answer: z.array(IssueEventData),
    },
    signal,
  );
  let found: Labelling = { labeller: null, isBot: false, at: 0, renamedSince: false };
  for (const event of events?.data ?? []) {
    if (event.event === "renamed") found = { ...found, renamedSince: true };
    if (event.event !== "labeled" || !event.label || !hasLabel([event.label.name], target.config.intake.labels)) continue;
    found = { labeller: event.actor?.login ?? null, isBot: event.actor?.type === "Bot", at: event.created_at ?? 0, renamedSince: false };
  }
  return found;
}

async function canWrite(client: GithubClient, target: ForgeProject, login: string, signal: AbortSignal): Promise<boolean> {
  const request = {
    route: "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    parameters: { username: login },
    answer: PermissionData,
  };
  try {
    const { data } = await client.send(target, request, signal);
    return data.permission === "admin" || data.permission === "write";
  } catch (error) {
    // The account is gone: it can't be given access.
    if (error instanceof AppError && error.code === "not_found") return false;
    throw error;
  }
}

/**
 * Whether the text differs from the one that was labelled. REST does not tell when a body was edited. The text itself is
 * compared too, so that an edit that came and went while we were asking can't slip through.
 */
async function wasEditedSince(
  client: GithubClient,
  target: ForgeProject,
  issue: Issue,
  labelling: Labelling,
  signal: AbortSignal,
): Promise<boolean> {
  if (labelling.renamedSince) return true;
  const request = {
    route: `POST ${graphqlAddress(apiAddress(target))}`,
    parameters: { query: EDITED_TEXT, variables: { ...repositoryOf(target), number: issue.number } },
    answer: EditedTextData,
  };
  const { title, body, lastEditedAt } = (await client.send(target, request, signal)).data.data.repository.issue;
  // GitHub's times are whole seconds: within the same one the order can't be told.
  return contentHash(title, body) !== issue.contentHash || (lastEditedAt !== null && lastEditedAt >= labelling.at);
}
