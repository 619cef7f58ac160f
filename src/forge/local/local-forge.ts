import type { Clock } from "../../base/clock.ts";
import { AppError, messageOf } from "../../base/errors.ts";
import type { BrokerPull, BrokerQuery } from "../../contract/broker.ts";
import type { Project } from "../../contract/project.ts";
import { createGit, type Git } from "../../workspace/git.ts";
import type { GitCredentials } from "../../workspace/workspaces.ts";
import type {
  Forge,
  ForgeProject,
  Issue,
  IssuePoll,
  OutgoingComment,
  Permission,
  PullRequest,
  PullState,
  PullToMerge,
  Reading,
} from "../forge.ts";
import { withMarker } from "../marker.ts";
import { readFolder, readIssue, type FolderState } from "./issue-folder.ts";
import { asMergedPull, isMergedPull, PULLS, readLocal } from "./reading.ts";
import { Records, type RecordPlace } from "./records.ts";

export interface LocalForgeOptions {
  readonly clock: Clock;
  /** HOME and PATH for git. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes known secrets out of a text that is about to be kept. */
  readonly redact: (text: string) => string;
}

/** More than the pull requests that are ever opened at the same moment. */
const NUMBER_ATTEMPTS = 20;
const NOTHING: FolderState = { files: [], fingerprint: "none" };

/**
 * Issues and pull requests without any service. Issues are the files `.drover/issues/<number>-<anything>.md` in the
 * person's working folder, closed by `state: closed` or by removing the file. What we write goes behind refs of ours in
 * the same repository (`git show refs/drover/issues/3:status.md`, `git show refs/drover/pulls/1:pull.md`); the checkout is never touched.
 */
export class LocalForge implements Forge {
  readonly kind = "local";
  readonly mergesPulls = false;
  readonly #git: Git;
  readonly #records: Records;
  readonly #redact: (text: string) => string;

  constructor({ clock, env, redact }: LocalForgeOptions) {
    this.#git = createGit({ env, clock, identity: { name: "Drover", email: "drover@localhost" } });
    this.#records = new Records(this.#git);
    this.#redact = redact;
  }

  async poll({ project, config }: ForgeProject, cursor: string | null, _signal: AbortSignal): Promise<IssuePoll> {
    const folder = await this.#folder(project, cursor);
    const current = JSON.stringify([folder.fingerprint, config.intake.labels]);
    if (current === cursor) return { changed: false };
    const issues: Issue[] = [];
    const problems: { issue: number; message: string }[] = [];
    for (const file of folder.files) {
      try {
        issues.push(await readIssue(file, folder.files));
      } catch (error) {
        // One file that can't be read must not hide the others.
        problems.push({ issue: file.number, message: messageOf(error) });
      }
    }
    return { changed: true, complete: true, issues, problems, cursor: current };
  }

  async getIssue({ project }: ForgeProject, number: number, _signal: AbortSignal): Promise<Issue | undefined> {
    const { files } = (await readFolder(project)) ?? NOTHING;
    const file = files.find((one) => one.number === number);
    return file && readIssue(file, files);
  }

  async mayStart(_target: ForgeProject, issue: Issue, _signal: AbortSignal): Promise<Permission> {
    return { allowed: true, actor: issue.author, reason: "it is a file in the project's own folder" };
  }

  async read({ project }: ForgeProject, query: BrokerQuery, _etag: string | null, signal: AbortSignal): Promise<Reading> {
    return { changed: true, answer: await readLocal(this.#git, project, query, signal), etag: null };
  }

  headRef({ head }: Pick<BrokerPull, "head">): string {
    return `refs/heads/${head.ref}`;
  }

  async putComment(
    { project }: ForgeProject,
    { issue, marker, body, name }: OutgoingComment,
    signal: AbortSignal,
  ): Promise<{ url: string }> {
    const [path, file] = name === undefined ? [`issues/${issue}`, "status.md"] : [`comments/${issue}/${name}`, "comment.md"];
    const content = `${this.#redact(withMarker(marker, body)).trimEnd()}\n`;
    const subject = name === undefined ? `Status of issue ${issue}` : `Comment at issue ${issue}`;
    await this.#records.write({ repository: project.path, ref: `refs/drover/${path}`, file }, { content, subject, marker }, signal);
    return { url: `drover:${path}` };
  }

  async putPullRequest(
    { project }: ForgeProject,
    pull: { branch: string; base: string; title: string; body: string; marker: string },
    signal: AbortSignal,
  ): Promise<PullRequest> {
    const content = this.#redact(pullText(pull));
    // Pull requests of several tasks are opened at once; whose number was taken meanwhile takes the next.
    for (let attempt = 1; ; attempt += 1) {
      const known = await this.#records.list(project.path, PULLS, signal);
      const own = known.find((one) => one.marker === pull.marker);
      const number = own === undefined ? Math.max(0, ...known.map((one) => numberOf(one.ref))) + 1 : numberOf(own.ref);
      const place = placeOf(project, number);
      const url = `drover:pulls/${number}`;
      if (own !== undefined && isMergedPull((await this.#records.read(place, signal)) ?? "")) return { number, url, open: false };
      const record = { content, subject: `Pull request ${number}`, marker: pull.marker, create: own === undefined };
      try {
        await this.#records.write(place, record, signal);
        return { number, url, open: true };
      } catch (error) {
        if (attempt === NUMBER_ATTEMPTS || !(error instanceof AppError) || error.code !== "conflict") throw error;
      }
    }
  }

  async pullState({ project }: ForgeProject, { number }: PullToMerge, signal: AbortSignal): Promise<PullState> {
    const content = await this.#records.read(placeOf(project, number), signal);
    return { state: isMergedPull(content ?? "") ? "merged" : "ready" };
  }

  async mergePull({ project }: ForgeProject, { number }: PullToMerge, signal: AbortSignal): Promise<void> {
    const place = placeOf(project, number);
    const content = await this.#records.read(place, signal);
    if (content === undefined) return;
    // What the record is known by: the first line of its text.
    const marker = /\n---\n(.*)/.exec(content)?.[1] ?? "";
    await this.#records.write(place, { content: asMergedPull(content), subject: `Pull request ${number} is merged`, marker }, signal);
  }

  credentials(): GitCredentials {
    return { token: null };
  }

  /** A folder that was there before and is gone now says nothing about its issues: another branch may be checked out. */
  async #folder(project: Project, cursor: string | null): Promise<FolderState> {
    const folder = await readFolder(project);
    if (folder !== undefined) return folder;
    if (cursor === null || cursor.includes(`"${NOTHING.fingerprint}"`)) return NOTHING;
    throw new AppError("unavailable", `${project.path} has no folder .drover/issues any more. Bring it back, even if it is empty.`);
  }
}

function pullText({
  branch,
  base,
  title,
  body,
  marker,
}: {
  branch: string;
  base: string;
  title: string;
  body: string;
  marker: string;
}): string {
  const front = ["---", `title: ${JSON.stringify(title)}`, `base: ${JSON.stringify(base)}`, `branch: ${JSON.stringify(branch)}`, "---"];
  return `${front.join("\n")}\n${withMarker(marker, body).trimEnd()}\n`;
}

function placeOf({ path }: Project, number: number): RecordPlace {
  return { repository: path, ref: `${PULLS}${number}`, file: "pull.md" };
}

function numberOf(ref: string): number {
  return Number(ref.slice(PULLS.length));
}
