import { copyFile, mkdir, readdir, realpath, writeFile } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { AppError } from "../base/errors.ts";
import { look, readPlainFile } from "./folders.ts";
import type { Repository } from "./repository.ts";

/**
 * A repository that an agent could write to, seen through a folder of ours: our configuration and no hooks, refs or
 * attributes of its own, but its objects to read (as alternates) and copies of its indexes. Git runs on the view only, so
 * nothing that the agent put into its `.git` is ever in force.
 */
export interface AgentRepository {
  /** The view; a GIT_DIR. */
  readonly view: string;
  /** The commit that HEAD names, and its tree; null: no commit yet, or one that is not there. */
  readonly head: { readonly commit: string; readonly tree: string } | null;
  /** Every commit that is there and that a ref, a reflog, a stash or an operation under way names. */
  readonly commits: string[];
  /** Every annotated tag. */
  readonly tags: string[];
  /** Copies of its indexes (its own, and those of worktrees it made), each usable as GIT_INDEX_FILE. */
  readonly indexes: string[];
}

/** Where objects are named outside the object store: files and folders in the repository's folder. */
const NAMED_IN = ["packed-refs", "refs", "logs", "worktrees", "rebase-merge", "rebase-apply", "sequencer"] as const;
/** Alternates would lead to objects of other repositories, whose owner never gave them to this project. */
const BORROWING = ["info/alternates", "info/http-alternates"] as const;
const NAMES_MAX_BYTES = 64 * 1024 * 1024;
const GITFILE_MAX_BYTES = 4096;
const ALIEN_FORMAT = "keeps its refs or objects in a format that Drover can't read (reftable or SHA-256)";

/** Configuration of the view, in a file since git hands none from the environment on to a program it fetches from. */
const VIEW_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tcommitGraph = false\n\tmultiPackIndex = false\n";

/**
 * Opens the repository of a folder for reading; the view is made in `scratch`. Undefined: the folder has none, or its
 * `.git` leads out of the workspace (`root`), to what is not ours to read and is not removed either.
 * Throws `conflict` when it can't be read as a whole.
 */
export async function openAgentRepository(
  repository: Repository,
  { root, folder, scratch }: { root: string; folder: string; scratch: string },
): Promise<AgentRepository | undefined> {
  const gitDirectory = await findGitDirectory(root, folder);
  if (gitDirectory === undefined) return undefined;
  await refuseForeignObjects(gitDirectory);
  const view = join(scratch, "view");
  await makeView(repository, gitDirectory, view);
  const names = await readNames(gitDirectory);
  const head = resolveHead(names);
  if (head?.length === 64) throw unreadable(gitDirectory, ALIEN_FORMAT);
  const { commits, tags, tree } = await existing(repository, view, [
    ...idsIn([...names.values()].join("\n")),
    ...(head === undefined ? [] : [`${head}^{tree}`]),
  ]);
  return {
    view,
    head: head !== undefined && tree !== undefined && commits.includes(head) ? { commit: head, tree } : null,
    commits,
    tags,
    indexes: await copyIndexes(gitDirectory, view),
  };
}

async function findGitDirectory(root: string, folder: string): Promise<string | undefined> {
  const entry = join(folder, ".git");
  const found = await look(entry);
  if (found?.isDirectory()) return entry;
  if (!found?.isFile() || found.size > GITFILE_MAX_BYTES) return undefined;
  const target = /^gitdir: (.+?)\r?\n?$/.exec((await readPlainFile(entry)).toString())?.[1];
  const path = target === undefined ? undefined : resolve(folder, target);
  if (path === undefined || !(await look(path))?.isDirectory()) return undefined;
  const inside = relative(await realpath(root), await realpath(path));
  const isWorktree = (await look(join(path, "commondir"))) !== undefined; // read with the repository it belongs to
  return inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isWorktree ? undefined : path;
}

async function refuseForeignObjects(gitDirectory: string): Promise<void> {
  const objects = join(gitDirectory, "objects");
  for (const name of BORROWING)
    if (await look(join(objects, name))) throw unreadable(gitDirectory, `borrows objects from elsewhere (objects/${name})`);
  const link = await findLink(objects);
  if (link !== undefined) throw unreadable(gitDirectory, `has a link among its objects (${relative(gitDirectory, link)})`);
}

/** A link in the object store: it too could lead to what belongs to others. */
async function findLink(folder: string): Promise<string | undefined> {
  const found = await look(folder);
  if (found === undefined) return undefined;
  if (!found.isDirectory()) return folder;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return path;
    const link = entry.isDirectory() ? await findLink(path) : undefined;
    if (link !== undefined) return link;
  }
  return undefined;
}

async function makeView(repository: Repository, gitDirectory: string, view: string): Promise<void> {
  for (const folder of ["refs", join("objects", "info")]) await mkdir(join(view, folder), { recursive: true });
  await writeFile(join(view, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(view, "config"), VIEW_CONFIG);
  const stores = [join(gitDirectory, "objects"), join(repository.directory, "objects")];
  await writeFile(join(view, "objects", "info", "alternates"), stores.map((store) => `${quoted(store)}\n`).join(""));
  // Where the base's history is cut off, as we know it; what the agent says of it does not count.
  const shallow = join(repository.directory, "shallow");
  if (await look(shallow)) await copyFile(shallow, join(view, "shallow"));
}

/** As git's alternates file wants a path with characters that mean something in it. */
function quoted(path: string): string {
  return /["\\\n]|^#/.test(path) ? JSON.stringify(path) : path;
}

/** The text of every file that may name objects, by its path in the repository. */
async function readNames(gitDirectory: string): Promise<Map<string, string>> {
  if (await look(join(gitDirectory, "reftable"))) throw unreadable(gitDirectory, ALIEN_FORMAT);
  const names = new Map<string, string>();
  const heads = (await readdir(gitDirectory)).filter((name) => /^(?:[A-Z]+_)?HEAD$/.test(name));
  let left = NAMES_MAX_BYTES;
  const read = async (path: string): Promise<void> => {
    const place = join(gitDirectory, path);
    const found = await look(place);
    if (found?.isDirectory()) {
      for (const name of await readdir(place)) await read(`${path}/${name}`);
    } else if (found?.isFile() && !path.endsWith("/index")) {
      left -= found.size;
      if (left < 0) throw unreadable(gitDirectory, `has more than ${NAMES_MAX_BYTES / 1024 / 1024} MB of refs and reflogs`);
      names.set(path, (await readPlainFile(place)).toString());
    }
  };
  for (const path of [...heads, ...NAMED_IN]) await read(path);
  return names;
}

function idsIn(text: string): string[] {
  const ids = text.match(/(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g) ?? [];
  return [...new Set(ids)].filter((id) => !/^0+$/.test(id));
}

/** Which of these are there, by what they are. A reflog may name what was given up and is gone. */
async function existing(
  repository: Repository,
  view: string,
  ids: readonly string[],
): Promise<{ commits: string[]; tags: string[]; tree: string | undefined }> {
  const input = ids.map((id) => `${id}\n`).join("");
  const lines = await repository.git.print(["cat-file", "--batch-check=%(objectname) %(objecttype)"], { repository: view, input });
  const ofType = (type: string) =>
    lines.split("\n").flatMap((line) => (line.endsWith(` ${type}`) ? [line.slice(0, line.indexOf(" "))] : []));
  return { commits: ofType("commit"), tags: ofType("tag"), tree: ofType("tree").at(-1) };
}

/** The id HEAD stands for, through at most a few symbolic refs. */
function resolveHead(names: ReadonlyMap<string, string>): string | undefined {
  let value = names.get("HEAD")?.trim();
  for (let depth = 0; depth < 5; depth++) {
    const ref = value === undefined ? undefined : /^ref: (.+)$/.exec(value)?.[1];
    if (ref === undefined) return value !== undefined && /^[0-9a-f]+$/.test(value) ? value : undefined;
    value = names.get(ref)?.trim() ?? packedRef(names.get("packed-refs"), ref);
  }
  return undefined;
}

function packedRef(packedRefs: string | undefined, ref: string): string | undefined {
  const line = packedRefs?.split("\n").find((one) => one.endsWith(` ${ref}`));
  return line?.slice(0, line.indexOf(" "));
}

async function copyIndexes(gitDirectory: string, view: string): Promise<string[]> {
  const worktrees = join(gitDirectory, "worktrees");
  const folders = [gitDirectory];
  if ((await look(worktrees))?.isDirectory()) folders.push(...(await readdir(worktrees)).map((name) => join(worktrees, name)));
  const copies: string[] = [];
  for (const folder of folders) {
    if (!(await look(folder))?.isDirectory()) continue;
    for (const name of await readdir(folder)) {
      const isIndex = name === "index";
      // An index may be split: the rest of it lies beside it.
      if (!isIndex && !name.startsWith("sharedindex.")) continue;
      if (!(await look(join(folder, name)))?.isFile()) continue;
      const copy = join(view, isIndex ? `index-${copies.length}` : name);
      await writeFile(copy, await readPlainFile(join(folder, name)));
      if (isIndex) copies.push(copy);
    }
  }
  return copies;
}

function unreadable(gitDirectory: string, why: string): AppError {
  return new AppError("conflict", `The repository ${gitDirectory} ${why}, so its commits can't be saved.`);
}
