import { safeLine, slug } from "../base/text.ts";

/** A run that failed. */
export interface Failure {
  readonly project: string;
  readonly task: string;
  readonly reason: string;
  readonly message: string;
  readonly at: number;
}

/** Failures that look like the same one, wherever they were. */
export interface FailureGroup {
  /** The same for the same cause. */
  readonly key: string;
  readonly reason: string;
  /** That of the newest of them. */
  readonly message: string;
  readonly count: number;
  readonly projects: readonly string[];
  /** The newest of them, at most this many. */
  readonly tasks: readonly string[];
  readonly firstAt: number;
  readonly lastAt: number;
}

const TASKS_MAX = 10;
const MESSAGE_MAX = 500;

/**
 * Failures by what caused them: those whose reason is the same and whose message differs in no more than names and numbers.
 * What happened in the most projects comes first.
 */
export function groupFailures(failures: readonly Failure[]): FailureGroup[] {
  const groups = Map.groupBy(failures, keyOf);
  return [...groups].map(([key, members]) => groupOf(key, members)).toSorted(bySpread);
}

function groupOf(key: string, members: readonly Failure[]): FailureGroup {
  const newestFirst = members.toSorted((one, other) => other.at - one.at);
  const [newest] = newestFirst;
  return {
    key,
    reason: newest?.reason ?? "",
    message: safeLine(newest?.message ?? "", MESSAGE_MAX),
    count: members.length,
    projects: [...new Set(members.map(({ project }) => project))].toSorted(),
    tasks: [...new Set(newestFirst.map(({ task }) => task))].slice(0, TASKS_MAX),
    firstAt: newestFirst.at(-1)?.at ?? 0,
    lastAt: newest?.at ?? 0,
  };
}

function bySpread(one: FailureGroup, other: FailureGroup): number {
  return other.projects.length - one.projects.length || other.count - one.count || (one.key < other.key ? -1 : 1);
}

/** Without what differs from one project and one time to the next: their names, task keys, paths, numbers, ids. */
function keyOf({ project, reason, message }: Failure): string {
  const plain = message
    .replaceAll(/\S*[/\\#]\S*/gu, " ")
    .replaceAll(/\b[0-9a-f-]{7,}\b/giu, " ")
    .replaceAll(/\d+/gu, " ");
  const words = `-${slug(`${reason} ${plain}`, 160)}-`.replaceAll(`-${slug(project)}-`, "-");
  return slug(words, 80);
}
