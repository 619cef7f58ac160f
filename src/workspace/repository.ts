import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { safeLine } from "../base/text.ts";
import type { CommandResult } from "../process/command.ts";
import type { Git, GitCall, GitIdentity } from "./git.ts";
import { look } from "./folders.ts";
import { Turns } from "./turns.ts";

/** Written by agents and systems for themselves; nobody wants them in a pull request. */
export const droppings = [".DS_Store", "Thumbs.db", ".claude/settings.local.json"] as const;

/** A remote that leads nowhere: an agent's git answers for it that Drover fetches and pushes (agents/gh-program.ts). */
const ORIGIN = '[remote "origin"]\n\turl = drover::workspace\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n';

/** Where git finds the objects of `base`, from the object store of the repository around it. */
const ALTERNATES = "../base.git/objects\n";

/**
 * The daemon's own bare repository of a project. Everything that is saved lies behind its refs:
 * `refs/drover/base`, `refs/drover/tasks/TASK/{base,head,moved,checkpoints/N,agent/COMMIT}`, `refs/drover/{pushed,pushing}/BRANCH`.
 * Nothing in it is ever deleted. What came from the remote has an object store of its own in it, in packs only (`base`):
 * a workspace gets a copy of those files and so nothing that other workspaces brought in.
 */
export class Repository {
  readonly git: Git;
  readonly directory: string;
  /** Bare; holds `refs/drover/base` as the remote has it, and all objects that ever came from there. */
  readonly base: string;
  /** What `git init` puts into each workspace's repository. */
  readonly template: string;
  /** What we know of each workspace, and the index that its files are compared with. */
  readonly records: string;
  private readonly alternates: string;
  private readonly scratch: string;
  private readonly packs = new Turns();

  private constructor(git: Git, directory: string) {
    this.git = git;
    this.directory = directory;
    this.base = join(directory, "base.git");
    this.template = join(directory, "template");
    this.records = join(directory, "workspaces");
    this.alternates = join(directory, "objects", "info", "alternates");
    this.scratch = join(directory, "scratch");
  }

  /** Opens it, made when it is missing or half made. To be called once in a daemon's life: it removes what an earlier one left in `scratch`. */
  static async open(git: Git, directory: string, identity: GitIdentity): Promise<Repository> {
    const repository = new Repository(git, directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (!(await repository.isWhole())) await repository.make();
    await rm(repository.scratch, { recursive: true, force: true });
    for (const folder of [repository.records, repository.scratch, join(repository.template, "info")])
      await mkdir(folder, { recursive: true, mode: 0o700 });
    await repository.writeTemplate(identity);
    return repository;
  }

  run(args: readonly string[], call: Omit<GitCall, "repository"> = {}): Promise<CommandResult> {
    return this.git.run(args, { ...call, repository: this.directory });
  }

  print(args: readonly string[], call: Omit<GitCall, "repository"> = {}): Promise<string> {
    return this.git.print(args, { ...call, repository: this.directory });
  }

  /** The commit behind a ref or an id of one; undefined: there is none. */
  async findCommit(name: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.run(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
    return exitCode === 0 ? stdout.trim() : undefined;
  }

  async treeOf(commit: string): Promise<string> {
    return (await this.print(["rev-parse", "--verify", "--end-of-options", `${commit}^{tree}`])).trim();
  }

  async setRef(ref: string, commit: string): Promise<void> {
    await this.print(["update-ref", "--", ref, commit]);
  }

  /** Makes a commit of a tree that we have. */
  async commit(tree: string, parent: string, message: string, at?: number): Promise<string> {
    const made = await this.print(["commit-tree", "-p", parent, "-F", "-", tree], { input: message, ...(at === undefined ? {} : { at }) });
    return made.trim();
  }

  /** Lends a new folder, removed at the end. */
  async withScratch<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
    const folder = await mkdtemp(join(this.scratch, "s-"));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** While it works, nothing else copies or rewrites the packs of `base`. */
  withPacks<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
    return this.packs.take("packs", () => work(join(this.base, "objects", "pack")));
  }

  /** What is written last says that all is made: what it says, not that it is there, for a death can leave an empty file. */
  private async isWhole(): Promise<boolean> {
    return (await look(this.alternates)) !== undefined && (await readFile(this.alternates, "utf8")) === ALTERNATES;
  }

  private async make(): Promise<void> {
    for (const place of [this.directory, this.base]) {
      // One of a git that died in its making would keep every later one out.
      await rm(join(place, "config.lock"), { force: true });
      await this.git.print(["init", "--quiet", "--bare", "--template=", "--", place], {});
    }
    await writeFile(this.alternates, ALTERNATES, { flush: true });
  }

  /** No hooks; an identity, so that the agent can commit; no garbage collection behind our back; no way to another repository. */
  private async writeTemplate(identity: GitIdentity): Promise<void> {
    const [name, email] = [identity.name, identity.email].map((value) => JSON.stringify(safeLine(value)));
    const config = `[user]\n\tname = ${name}\n\temail = ${email}\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n${ORIGIN}`;
    await writeFile(join(this.template, "config"), config);
    await writeFile(join(this.template, "info", "exclude"), droppings.map((name) => `${name}\n`).join(""));
  }
}
