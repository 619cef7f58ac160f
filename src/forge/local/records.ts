import type { Clock } from "../../base/clock.ts";
import { AppError } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";

/** Runs git in a repository, hooks off. An exit code is a result, not an error. */
export type RunGit = (
  repository: string,
  args: readonly string[],
  options: { input?: string; signal: AbortSignal },
) => Promise<{ exitCode: number; stdout: string; stderr: string }>;

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
  readonly #git: RunGit;
  readonly #clock: Clock;

  constructor(git: RunGit, clock: Clock) {
    this.#git = git;
    this.#clock = clock;
  }

  /** Undefined: nothing was written there yet. */
  async read({ repository, ref, file }: RecordPlace, signal: AbortSignal): Promise<string | undefined> {
    const head = await this.#head(repository, ref, signal);
    if (head === "") return undefined;
    return this.#must(repository, ["cat-file", "blob", `${head}:${file}`], { signal });
  }

  /**
   * Writes the file as a new commit on the ref; the same content again changes nothing. `create`: only where nothing is yet.
   * Throws `conflict` when somebody else wrote at the same moment, or something is there already.
   */
  async write(
    place: RecordPlace,
    { content, subject, marker, create = false }: { content: string; subject: string; marker: string; create?: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { repository, ref, file } = place;
    const head = create ? "" : await this.#head(repository, ref, signal);
    if (head !== "" && (await this.read(place, signal)) === content) return;
    const blob = await this.#must(repository, ["hash-object", "-w", "--stdin"], { input: content, signal });
    const tree = await this.#must(repository, ["mktree"], { input: `100644 blob ${blob.trim()}\t${file}\n`, signal });
    const seconds = Math.floor(this.#clock.now() / 1000);
    const lines = [
      `tree ${tree.trim()}`,
      ...(head === "" ? [] : [`parent ${head}`]),
      `author Drover <drover@localhost> ${seconds} +0000`,
      `committer Drover <drover@localhost> ${seconds} +0000`,
      "",
      subject,
      "",
      `${TRAILER}: ${marker}`,
      "",
    ];
    const commit = await this.#must(repository, ["hash-object", "-t", "commit", "-w", "--stdin"], { input: lines.join("\n"), signal });
    // An empty old value means that the ref must not exist.
    const { exitCode, stderr } = await this.#git(repository, ["update-ref", ref, commit.trim(), head], { signal });
    if (exitCode !== 0) throw new AppError("conflict", `Cannot write ${ref} in ${repository}: ${safeLine(stderr)}`);
  }

  /** The refs under a prefix, each with the marker that it was written with last. */
  async list(repository: string, prefix: string, signal: AbortSignal): Promise<{ ref: string; marker: string }[]> {
    const format = `%(refname) %(contents:trailers:key=${TRAILER},valueonly,separator=)`;
    const text = await this.#must(repository, ["for-each-ref", `--format=${format}`, prefix], { signal });
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ ref: line.slice(0, line.indexOf(" ")), marker: line.slice(line.indexOf(" ") + 1).trim() }));
  }

  async #head(repository: string, ref: string, signal: AbortSignal): Promise<string> {
    return (await this.#must(repository, ["for-each-ref", "--format=%(objectname)", ref], { signal })).trim();
  }

  async #must(repository: string, args: readonly string[], options: { input?: string; signal: AbortSignal }): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#git(repository, args, options);
    if (exitCode !== 0)
      throw new AppError("unavailable", `git ${args[0]} failed in ${repository}: ${safeLine(stderr || `exit code ${exitCode}`)}`);
    return stdout;
  }
}
