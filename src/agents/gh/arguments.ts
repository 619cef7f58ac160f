import type { BrokerAnswer } from "../../contract/broker.ts";

/** What is asked of the broker: a call with its defaults left out. */
export interface Asked {
  readonly call: BrokerAnswer["call"];
  readonly [field: string]: string | number | null;
}

/** How the answers are to be printed. */
export interface Shown {
  /** `rest`: as `gh api` prints what it got. */
  readonly as: "issue" | "comments" | "issues" | "pull" | "pulls" | "diff" | "names" | "checks" | "repository" | "login" | "rest" | "word";
  /** Fields, as `--json` names them; null: text. */
  readonly json: readonly string[] | null;
  /** What is left of a list: those with this label, this head, this base, in this state. */
  readonly only: Readonly<Record<string, string>>;
}

/** What a command of `gh` comes to. `bodyFile`: where the text of the last call is read from; `-`: stdin. */
export type Command =
  | { readonly kind: "ask"; readonly calls: readonly Asked[]; readonly show: Shown; readonly bodyFile: string | null }
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "fail"; readonly text: string };

const WHAT_THERE_IS = `This is Drover's gh. It reads this repository, and writes at the issue and the pull request of its own task:
  gh issue view [N] [--comments] [--json FIELDS]     gh pr view [N] [--comments] [--json FIELDS]
  gh issue list [-s STATE] [-l LABEL] [-L N]         gh pr list [-s STATE] [-H HEAD] [-B BASE] [-L N]
  gh issue comment [N] --body TEXT | -F FILE         gh pr diff [N] [--name-only]
  gh repo view [--json FIELDS]                       gh pr checks [--json FIELDS]
  gh auth status                                     gh pr edit [N] --body TEXT | -F FILE
  gh api repos/OWNER/NAME[/issues|/pulls|/contents/PATH ...]
Drover opens the pull request itself, when the work is verified.`;

const OPENED_LATER =
  "Drover opens the pull request itself, with proof, once you have ended and the project's checks have passed. Commit your work, and put into your last message what the pull request should say.";

/** Turns what stands behind `gh` into calls. Pure: it knows neither the repository nor the task. */
export function readArguments(argv: readonly string[]): Command {
  const [group = "help", verb = ""] = argv;
  if (["help", "--help", "-h"].includes(group)) return { kind: "say", text: WHAT_THERE_IS };
  if (["--version", "version"].includes(group)) return { kind: "say", text: "gh version 2.0.0 (Drover's)" };
  if (group === "api") return readApi(argv.slice(1));
  const read = commands[`${group} ${verb}`];
  if (read === undefined) return fail(`gh ${argv.slice(0, 2).join(" ")} is not to be had here.`);
  if (read === "later") return { kind: "say", text: OPENED_LATER };
  const options = parse(argv.slice(2), read.values, read.flags);
  return "kind" in options ? options : read.command(options);
}

interface Options {
  readonly values: Readonly<Record<string, string>>;
  readonly flags: ReadonlySet<string>;
  readonly words: readonly string[];
}

interface Reader {
  /** Options that take a value, with their short names. */
  readonly values: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, string>>;
  readonly command: (options: Options) => Command;
}

const REPOSITORY = { "--repo": "-R", "--json": "" };
const BODY = { "--repo": "-R", "--body": "-b", "--body-file": "-F" };
const COMMENTS = { "--comments": "-c" };

const commands: Readonly<Record<string, Reader | "later">> = {
  "issue view": { values: REPOSITORY, flags: COMMENTS, command: (options) => view("issue", options) },
  "issue list": {
    values: { ...REPOSITORY, "--state": "-s", "--limit": "-L", "--label": "-l" },
    flags: {},
    command: (options) => list("issues", options),
  },
  "issue comment": { values: BODY, flags: {}, command: (options) => write("comment", options) },
  "pr view": { values: REPOSITORY, flags: COMMENTS, command: (options) => view("pull", options) },
  "pr list": {
    values: { ...REPOSITORY, "--state": "-s", "--limit": "-L", "--head": "-H", "--base": "-B" },
    flags: {},
    command: (options) => list("pulls", options),
  },
  "pr diff": {
    values: { "--repo": "-R", "--color": "" },
    flags: { "--name-only": "", "--patch": "" },
    command: (options) =>
      numbered(options, (at) => ask([{ call: "pull_files", ...at }], options.flags.has("--name-only") ? "names" : "diff")),
  },
  "pr checks": {
    values: { ...REPOSITORY, "--interval": "-i" },
    flags: { "--required": "" },
    command: (options) =>
      options.words.length > 0
        ? fail("gh pr checks tells of the pull request of the task alone: leave the number out.")
        : ask([{ call: "checks", ...repositoryOf(options) }], "checks", fieldsOf(options)),
  },
  "pr edit": { values: BODY, flags: {}, command: (options) => write("edit_pull", options) },
  "pr create": "later",
  "repo view": {
    values: { "--json": "" },
    flags: {},
    command: (options) =>
      ask(
        [{ call: "repository", ...(options.words[0] !== undefined && { repository: options.words[0] }) }],
        "repository",
        fieldsOf(options),
      ),
  },
  "auth status": { values: { "--hostname": "-h" }, flags: { "--active": "-a" }, command: () => ask([{ call: "repository" }], "login") },
};

function view(what: "issue" | "pull", options: Options): Command {
  const json = fieldsOf(options);
  return numbered(options, (at) => {
    const comments: Asked = { call: "comments", ...at };
    const files: Asked = { call: "pull_files", ...at };
    if (json === null && options.flags.has("--comments")) return ask([comments], "comments");
    const also = [...(json?.includes("comments") ? [comments] : []), ...(json?.includes("files") && what === "pull" ? [files] : [])];
    return ask([{ call: what, ...at }, ...also], what, json);
  });
}

function list(what: "issues" | "pulls", options: Options): Command {
  const { "--state": state = "open", "--limit": limit = "30", "--label": label, "--head": head, "--base": base } = options.values;
  if (!["open", "closed", "all", ...(what === "pulls" ? ["merged"] : [])].includes(state)) return fail(`There is no state ${state}.`);
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1) return fail(`--limit takes a number from 1 to 100, not ${limit}.`);
  const only = { ...(label !== undefined && { label }), ...(head !== undefined && { head }), ...(base !== undefined && { base }) };
  const merged = state === "merged" ? { state } : {};
  const asked = { call: what, ...repositoryOf(options), state: state === "merged" ? "closed" : state, limit: Math.min(count, 100) };
  return ask([asked], what, fieldsOf(options), { ...only, ...merged });
}

function write(call: "comment" | "edit_pull", options: Options): Command {
  const { "--body": body, "--body-file": bodyFile } = options.values;
  if (body === undefined && bodyFile === undefined)
    return fail("Give the text by --body TEXT or --body-file FILE; there is no editor here.");
  return numbered(options, (at) => ({
    kind: "ask",
    calls: [{ call, ...at, ...(body !== undefined && { body }) }],
    show: { as: "word", json: null, only: {} },
    bodyFile: body === undefined ? (bodyFile ?? null) : null,
  }));
}

/** Those of GitHub's addresses that stand for a call of the broker's. */
const ADDRESSES: readonly (readonly [pattern: RegExp, asked: (match: RegExpExecArray) => Asked])[] = [
  [/^$/, () => ({ call: "repository" })],
  [/^\/issues$/, () => ({ call: "issues", limit: 100 })],
  [/^\/issues\/(\d+)$/, ([, number]) => ({ call: "issue", number: Number(number) })],
  [/^\/issues\/(\d+)\/comments$/, ([, number]) => ({ call: "comments", number: Number(number) })],
  [/^\/pulls$/, () => ({ call: "pulls", limit: 100 })],
  [/^\/pulls\/(\d+)$/, ([, number]) => ({ call: "pull", number: Number(number) })],
  [/^\/pulls\/(\d+)\/files$/, ([, number]) => ({ call: "pull_files", number: Number(number) })],
  [/^\/contents\/(.+)$/, ([, path = ""]) => ({ call: "file", path: decodeURIComponent(path) })],
];

function readApi(argv: readonly string[]): Command {
  const options = parse(argv, { "--method": "-X", "--header": "-H" }, { "--paginate": "" });
  if ("kind" in options) return options;
  const { "--method": method = "GET" } = options.values;
  const [address = ""] = options.words;
  const [, owner = "", name = "", rest = "", query = ""] = /^\/?repos\/([^/?]+)\/([^/?]+)([^?]*)(?:\?(.*))?$/.exec(address) ?? [];
  if (method.toUpperCase() !== "GET" || name === "") return fail(`gh api ${method} ${address} is not to be had here.`);
  const own = owner.startsWith("{") || owner.startsWith(":") ? {} : { repository: `${owner}/${name}` };
  for (const [pattern, asked] of ADDRESSES) {
    const match = pattern.exec(rest.replace(/\/$/, ""));
    if (match) return ask([{ ...asked(match), ...own, ...filterOf(asked(match), new URLSearchParams(query)) }], "rest");
  }
  return fail(`gh api ${address} is not to be had here.`);
}

function filterOf({ call }: Asked, query: URLSearchParams): Record<string, string | number> {
  const [state, perPage, ref] = ["state", "per_page", "ref"].map((name) => query.get(name));
  if (call === "file") return ref ? { ref } : {};
  if (call !== "issues" && call !== "pulls") return {};
  return { ...(state && { state }), ...(perPage && { limit: Number(perPage) }) };
}

function ask(
  calls: readonly Asked[],
  as: Shown["as"],
  json: readonly string[] | null = null,
  only: Readonly<Record<string, string>> = {},
): Command {
  return { kind: "ask", calls, show: { as, json, only }, bodyFile: null };
}

function fail(text: string): Command {
  return { kind: "fail", text: `${text}\n\n${WHAT_THERE_IS}` };
}

function fieldsOf({ values }: Options): readonly string[] | null {
  return values["--json"]?.split(",").map((name) => name.trim()) ?? null;
}

function repositoryOf({ values }: Options): { repository?: string } {
  const repository = values["--repo"]?.replace(/^(?:https:\/\/)?github\.com\//, "");
  return repository === undefined ? {} : { repository };
}

/** Which issue or pull request is meant: a number, `#7` or an address; left out: that of the task. */
function numbered(options: Options, then: (at: { repository?: string; number?: number }) => Command): Command {
  const [word, ...more] = options.words;
  if (more.length > 0) return fail(`One number is enough: ${options.words.join(" ")}.`);
  if (word === undefined) return then(repositoryOf(options));
  const [, repository, ofAddress] = /^https?:\/\/[^/]+\/([^/]+\/[^/]+)\/(?:issues|pull)\/(\d+)/.exec(word) ?? [];
  const number = Number(ofAddress ?? /^#?(\d+)$/.exec(word)?.[1]);
  if (!Number.isInteger(number)) return fail(`${word} is no number of an issue or pull request.`);
  return then({ ...repositoryOf(options), ...(repository !== undefined && { repository }), number });
}

/** As gh reads options: `--name value`, `--name=value`, `-n value`. One that is not known here must not be passed over in silence. */
function parse(argv: readonly string[], values: Reader["values"], flags: Reader["flags"]): Options | Command {
  const found: { values: Record<string, string>; flags: Set<string>; words: string[] } = { values: {}, flags: new Set(), words: [] };
  const nameIn = (known: Readonly<Record<string, string>>, word: string) =>
    Object.entries(known).find(([long, short]) => word === long || (short !== "" && word === short))?.[0];
  for (let at = 0; at < argv.length; at += 1) {
    const [word, inline] = splitOption(argv[at] ?? "");
    const valueName = nameIn(values, word);
    const flagName = nameIn(flags, word);
    if (valueName !== undefined) {
      const value = inline ?? argv[(at += 1)];
      if (value === undefined) return fail(`${word} needs a value.`);
      found.values[valueName] = value;
    } else if (flagName !== undefined && inline === undefined) found.flags.add(flagName);
    else if (word.startsWith("-") && word !== "-") return fail(`The option ${word} is not to be had here. Take what you need from --json.`);
    else found.words.push(argv[at] ?? "");
  }
  return found;
}

function splitOption(word: string): [string, string | undefined] {
  const [, name, value] = /^(--[a-z-]+)=([^]*)$/.exec(word) ?? [];
  return name === undefined ? [word, undefined] : [name, value];
}
