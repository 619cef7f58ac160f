import { AppError } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";
import type { Git } from "../../workspace/git.ts";

/** One file behind a ref of ours: `git show REF:FILE` shows it, `git log REF` how it came about. */
export interface RecordPlace {
  /** The repository's folder. */
  readonly repository: string;
  /** `refs/drover/issues/3` */
  readonly ref: string;
  readonly file: string;
}

const TRAILER = "Drover-Marker";

/** Keeps texts in a person's own repository, behind refs that no checkout, index or branch has to do with. */
export class Records {
  readonly #git: Git;

  constructor(git: Git) {
    this.#git = git;
  }

  /**
   * Writes the file as a new commit on the ref; the same content again changes nothing. `create`: only where nothing is yet.
   * Throws `conflict` when something is there already, or somebody else wrote at the same moment.
   */
  async write(
    { repository, ref, file }: RecordPlace,
    { content, subject, marker, create = false }: { content: string; subject: string; marker: string; create?: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const call = { cwd: repository, signal };
    const print = async (args: readonly string[], input = "") => (await this.#git.print(args, { ...call, input })).trim();
    const head = create ? "" : await print(["for-each-ref", "--format=%(objectname)", ref]);
    const blob = await print(["hash-object", "-w", "--stdin"], content);
    const tree = await print(["mktree"], `100644 blob ${blob}\t${file}\n`);
    if (head !== "" && tree === (await print(["rev-parse", `${head}^{tree}`]))) return;
    const parent = head === "" ? [] : ["-p", head];
    const commit = await print(["commit-tree", tree, ...parent, "-m", subject, "-m", `${TRAILER}: ${marker}`]);
    // An empty old value means that the ref must not exist.
    const { exitCode, stderr } = await this.#git.run(["update-ref", ref, commit, head], call);
    if (exitCode !== 0) throw new AppError("conflict", `Cannot write ${ref} in ${repository}: ${safeLine(stderr)}`);
  }

  /** What the file says; undefined: there is none. */
  async read({ repository, ref, file }: RecordPlace, signal: AbortSignal): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#git.run(["cat-file", "blob", `${ref}:${file}`], { cwd: repository, signal });
    return exitCode === 0 ? stdout : undefined;
  }

  /** The refs under a prefix, each with the marker that it was written with last. */
  async list(repository: string, prefix: string, signal: AbortSignal): Promise<{ ref: string; marker: string }[]> {
    const format = `%(refname) %(contents:trailers:key=${TRAILER},valueonly,separator=)`;
    const text = await this.#git.print(["for-each-ref", `--format=${format}`, prefix], { cwd: repository, signal });
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ ref: line.slice(0, line.indexOf(" ")), marker: line.slice(line.indexOf(" ") + 1).trim() }));
  }
}
