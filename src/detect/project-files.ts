import type { DetectedPart } from "../contract/detected-project.ts";

/** What detection looks at: the paths of a repository, and the text of those few files that say how it is built. */
export interface ProjectFiles {
  /** Seen from the top, with `/`. */
  readonly paths: readonly string[];
  /** The text of a file; empty when it is not there or not read. */
  readonly textOf: (path: string) => string;
}

/** One folder of it, as if it were all there is. */
export class Folder {
  readonly folder: string;
  /** Seen from the folder. */
  readonly paths: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #textOf: (path: string) => string;

  constructor(files: ProjectFiles, folder: string) {
    this.folder = folder;
    const prefix = folder === "" ? "" : `${folder}/`;
    this.paths = files.paths.flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
    this.#known = new Set(this.paths);
    this.#textOf = (path) => files.textOf(prefix + path);
  }

  has(...names: readonly string[]): boolean {
    return names.some((name) => this.#known.has(name));
  }

  /** The first path that is like this. */
  find(pattern: RegExp): string | undefined {
    return this.paths.find((path) => pattern.test(path));
  }

  /** The first of these folders that has a file in it. */
  firstFolder(...names: readonly string[]): string | undefined {
    return names.find((name) => this.paths.some((path) => path.startsWith(`${name}/`)));
  }

  text(path: string): string {
    return this.has(path) ? this.#textOf(path) : "";
  }

  /** A JSON object; an empty one where the file is missing or broken: its own tools will say what is wrong with it. */
  json(path: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(this.text(path) || "{}");
      return asObject(value);
    } catch {
      return {};
    }
  }
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** What a folder says of one language; undefined: it has no part in that. */
export type Detector = (folder: Folder) => Omit<DetectedPart, "folder"> | undefined;
