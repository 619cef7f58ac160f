import { join } from "node:path";
import { commitFiles, git, type CommitFiles } from "./git-http.ts";

export type Association = "OWNER" | "MEMBER" | "COLLABORATOR" | "CONTRIBUTOR" | "NONE";
export type RepositoryPermission = "admin" | "write" | "read" | "none";

export interface Person {
  readonly login: string;
  readonly type: "User" | "Bot";
  readonly association: Association;
  readonly permission: RepositoryPermission;
}

export interface DoubleComment {
  readonly id: number;
  readonly author: string;
  body: string;
  readonly createdAt: number;
  updatedAt: number;
}

export interface DoubleIssueEvent {
  readonly event: "labeled" | "unlabeled" | "renamed" | "closed" | "reopened";
  readonly actor: string;
  readonly at: number;
  readonly label?: string;
}

export interface DoublePull {
  head: string;
  base: string;
  merged: boolean;
}

export interface DoubleIssue {
  readonly number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  readonly labels: Set<string>;
  readonly author: string;
  readonly createdAt: number;
  updatedAt: number;
  lastEditedAt: number | null;
  readonly comments: DoubleComment[];
  readonly events: DoubleIssueEvent[];
  /** Pull requests are issues too, with one number range. */
  readonly pull?: DoublePull;
}

/** What happened, for webhooks. */
export interface Happening {
  readonly event: "issues" | "issue_comment";
  readonly action: string;
  readonly repository: DoubleRepository;
  readonly issue: DoubleIssue;
}

interface Surroundings {
  readonly now: () => number;
  readonly nextId: () => number;
  readonly announce: (happening: Happening) => void;
}

/** One repository of the double: a real bare git repository, and issues and pull requests that people change by these methods. */
export class DoubleRepository {
  readonly fullName: string;
  /** The bare repository. */
  readonly path: string;
  readonly issues = new Map<number, DoubleIssue>();
  /** Of each commit alike. */
  readonly checkRuns: { name: string; status: string; conclusion: string | null; html_url: string }[] = [];
  /** Whether these have to pass before a pull request is merged. */
  requiresChecks = false;
  mergeMethods = { allow_merge_commit: true, allow_squash_merge: true, allow_rebase_merge: true };
  readonly #people = new Map<string, Person>();
  readonly #world: Surroundings;

  constructor(fullName: string, root: string, world: Surroundings) {
    this.fullName = fullName;
    this.path = join(root, `${fullName}.git`);
    this.#world = world;
  }

  addPerson(login: string, { type = "User", association = "NONE", permission = "read" }: Partial<Omit<Person, "login">> = {}): void {
    this.#people.set(login, { login, type, association, permission });
  }

  /** Whoever was not added is a stranger. */
  person(login: string): Person {
    return this.#people.get(login) ?? { login, type: login.endsWith("[bot]") ? "Bot" : "User", association: "NONE", permission: "read" };
  }

  isKnown(login: string): boolean {
    return this.#people.has(login);
  }

  openIssue({ title, body = "", author = "owner", labels = [], labelledBy = author }: NewIssue): number {
    const issue = this.#add({ title, body, author });
    this.#announce("issues", "opened", issue);
    for (const label of labels) this.label(issue.number, label, labelledBy);
    return issue.number;
  }

  label(number: number, label: string, by = "owner"): void {
    const issue = this.issue(number);
    issue.labels.add(label);
    this.#record(issue, { event: "labeled", actor: by, label });
    this.#announce("issues", "labeled", issue);
  }

  unlabel(number: number, label: string, by = "owner"): void {
    const issue = this.issue(number);
    issue.labels.delete(label);
    this.#record(issue, { event: "unlabeled", actor: by, label });
    this.#announce("issues", "unlabeled", issue);
  }

  edit(number: number, change: { title?: string; body?: string }, by = this.issue(number).author): void {
    const issue = this.issue(number);
    if (change.body !== undefined) {
      issue.body = change.body;
      issue.lastEditedAt = this.now();
    }
    if (change.title !== undefined) {
      issue.title = change.title;
      this.#record(issue, { event: "renamed", actor: by });
    }
    this.touch(issue);
    this.#announce("issues", "edited", issue);
  }

  close(number: number, by = "owner"): void {
    this.#setState(number, "closed", by);
  }

  reopen(number: number, by = "owner"): void {
    this.#setState(number, "open", by);
  }

  /** As if it had never been: GitHub answers 410. */
  delete(number: number): void {
    this.issues.delete(number);
  }

  comment(number: number, body: string, author = "owner"): DoubleComment {
    const issue = this.issue(number);
    const at = this.now();
    const comment = { id: this.#world.nextId(), author, body, createdAt: at, updatedAt: at };
    issue.comments.push(comment);
    this.touch(issue);
    this.#announce("issue_comment", "created", issue);
    return comment;
  }

  editComment(id: number, body: string): { issue: DoubleIssue; comment: DoubleComment } | undefined {
    for (const issue of this.issues.values()) {
      const comment = issue.comments.find((one) => one.id === id);
      if (comment === undefined) continue;
      comment.body = body;
      comment.updatedAt = this.now();
      this.touch(issue);
      this.#announce("issue_comment", "edited", issue);
      return { issue, comment };
    }
    return undefined;
  }

  openPull({ title, body = "", author = "owner", head, base }: NewIssue & Omit<DoublePull, "merged">): DoubleIssue {
    return this.#add({ title, body, author }, { head, base, merged: false });
  }

  pulls(): DoubleIssue[] {
    return [...this.issues.values()].filter((issue) => issue.pull !== undefined);
  }

  issue(number: number): DoubleIssue {
    const issue = this.issues.get(number);
    if (issue === undefined) throw new Error(`${this.fullName} has no issue ${number}`);
    return issue;
  }

  touch(issue: DoubleIssue): void {
    issue.updatedAt = this.now();
  }

  now(): number {
    return this.#world.now();
  }

  commit(change: CommitFiles): Promise<string> {
    return commitFiles(this.path, change);
  }

  /** The commit of a branch; undefined: there is none. */
  async head(branch: string): Promise<string | undefined> {
    const commit = await git(this.path, ["for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`]);
    return commit.trim() || undefined;
  }

  #add({ title, body, author }: Required<Pick<NewIssue, "title" | "body" | "author">>, pull?: DoublePull): DoubleIssue {
    const number = Math.max(0, ...this.issues.keys()) + 1;
    const at = this.now();
    const issue: DoubleIssue = {
      number,
      title,
      body,
      state: "open",
      labels: new Set(),
      author,
      createdAt: at,
      updatedAt: at,
      lastEditedAt: null,
      comments: [],
      events: [],
      ...(pull && { pull }),
    };
    this.issues.set(number, issue);
    return issue;
  }

  #setState(number: number, state: "open" | "closed", by: string): void {
    const issue = this.issue(number);
    issue.state = state;
    this.#record(issue, { event: state === "open" ? "reopened" : "closed", actor: by });
    this.#announce("issues", state === "open" ? "reopened" : "closed", issue);
  }

  #record(issue: DoubleIssue, event: Omit<DoubleIssueEvent, "at">): void {
    issue.events.push({ ...event, at: this.now() });
    this.touch(issue);
  }

  #announce(event: Happening["event"], action: string, issue: DoubleIssue): void {
    this.#world.announce({ event, action, repository: this, issue });
  }
}

export interface NewIssue {
  readonly title: string;
  readonly body?: string;
  readonly author?: string;
  readonly labels?: readonly string[];
  readonly labelledBy?: string;
}
