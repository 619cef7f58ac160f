import { toAppError, type AppError } from "../base/errors.ts";
import type { Project } from "../contract/project.ts";
import type { Database } from "../store/database.ts";
import { issueCursor, listChangedIssues, listOpenIssues, saveIssueCursor } from "../store/intake.ts";
import { recordPoll } from "../store/projects.ts";
import { noteUnreadable, takeIn, type IntakeOutcome, type IssueIntakeParts } from "./issue-intake.ts";
import type { IssuePoll } from "../forge/forge.ts";

/** What a look at a project's issues came to. */
export interface PollResult {
  readonly created: number;
  readonly ignored: number;
  readonly cancelled: number;
}

/**
 * Looks at what changed among a project's issues and takes it in, one issue after the other. The forge's cursor moves on
 * only when all of it was taken in, so that whatever a failure left out comes again. A forge that does not answer changes
 * nothing here; an issue that is missing in a list is asked for by its number before anything is concluded.
 */
export async function pollProject(
  database: Database,
  { id }: Project,
  openParts: () => IssueIntakeParts,
  signal: AbortSignal,
): Promise<PollResult> {
  try {
    const { cursor, result } = await look(openParts(), signal);
    await database.write((tx) => {
      if (cursor !== null) saveIssueCursor(tx, id, cursor);
      recordPoll(tx, id, { ok: true });
    });
    return result;
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== "cancelled") await database.write((tx) => recordPoll(tx, id, { ok: false, message: error.message }));
    throw error;
  }
}

async function look(parts: IssueIntakeParts, signal: AbortSignal): Promise<{ cursor: string | null; result: PollResult }> {
  const { database, forge, target } = parts;
  const { id } = target.project;
  const poll = await forge.poll(target, issueCursor(database.reader, id), signal);
  const tally = new Tally();
  if (poll.changed) {
    for (const problem of poll.problems)
      tally.count((await database.write((tx) => noteUnreadable(tx, target, problem))) ? "ignore" : "nothing");
    // The oldest first, so that they are the ones for which a queue that is nearly full has room.
    const issues = poll.issues.toSorted((one, other) => one.number - other.number);
    for (const issue of issues) await tally.attempt(() => takeIn(parts, issue.number, issue, signal));
  }
  for (const number of numbersToAskFor(parts, poll)) {
    await tally.attempt(async () => takeIn(parts, number, await forge.getIssue(target, number, signal), signal));
  }
  if (tally.failure) throw tally.failure;
  return { cursor: poll.changed ? poll.cursor : null, result: tally.result };
}

/** Issues that the poll did not show but that something may follow from. */
function numbersToAskFor({ database, target }: IssueIntakeParts, poll: IssuePoll): number[] {
  const { id } = target.project;
  const shown = new Set(
    poll.changed ? [...poll.issues.map((issue) => issue.number), ...poll.problems.map((problem) => problem.issue)] : [],
  );
  const missing = poll.changed && poll.complete ? listOpenIssues(database.reader, id) : [];
  return [...new Set([...missing, ...listChangedIssues(database.reader, id)])].filter((number) => !shown.has(number));
}

/** Counts what came of the issues of one look, and keeps the first failure that concerns only one of them. */
class Tally {
  failure: AppError | undefined;
  #created = 0;
  #ignored = 0;
  #cancelled = 0;

  get result(): PollResult {
    return { created: this.#created, ignored: this.#ignored, cancelled: this.#cancelled };
  }

  count(outcome: IntakeOutcome): void {
    if (outcome === "create" || outcome === "follow_up") this.#created++;
    if (outcome === "ignore") this.#ignored++;
    if (outcome === "cancel") this.#cancelled++;
  }

  async attempt(work: () => Promise<IntakeOutcome>): Promise<void> {
    try {
      this.count(await work());
    } catch (thrown) {
      const error = toAppError(thrown);
      // The forge has had enough or is away: the next question would fare no better.
      if (error.code === "unavailable" || error.code === "timeout" || error.code === "cancelled") throw error;
      this.failure ??= error;
    }
  }
}
