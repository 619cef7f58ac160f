import { plural } from "../words/format.ts";
import { painted, show, Shown } from "../words/shown.ts";
import { entriesOf, filterOf, filters } from "./entries.ts";
import { bindings } from "./keys.ts";
import { fit, inColumns, widthOf, wrap, type Line } from "./line.ts";
import { indexOf, windowAround } from "./list.ts";
import { viewNames, type Entry, type Prompt, type State, type ViewName } from "./state.ts";
import { paintLine, themes } from "./theme.ts";
import { drawChat } from "./views/chat.ts";
import { detailOf } from "./views/detail.ts";
import { columnNames, rowOf } from "./views/rows.ts";

/** What a terminal must have for a frame to be of use. */
const LEAST = { columns: 40, rows: 10 } as const;
const DETAIL_FROM_ROWS = 20;
const ALL_TABS_FROM_COLUMNS = 76;
/** Of what was done last; what to do about it stands at its end. */
const NOTICE_ROWS_MAX = 3;

interface Row {
  readonly line: Line;
  readonly isSelected: boolean;
}

/** The whole screen, a text a line: as many as it has, each of its width. Only what is seen is drawn. */
export function drawFrame(state: State): string[] {
  const { columns, rows, theme } = state;
  const last = lastWord(state);
  const lines =
    columns < LEAST.columns || rows < LEAST.rows
      ? [fit(show`This window is too small: Drover needs ${LEAST.columns}x${LEAST.rows}.`, columns)]
      : state.showsHelp
        ? help(state)
        : [tabs(state), status(state), ...body(state, rows - 3 - last.length), ...last, hints(state)];
  const drawn = lines
    .slice(0, rows)
    .map((line) => ("isSelected" in line ? paintLine(line.line, themes[theme], line.isSelected) : paintLine(line, themes[theme])));
  return [...drawn, ...Array.from({ length: Math.max(0, rows - drawn.length) }, () => "")];
}

const titles: Readonly<Record<ViewName, string>> = {
  attention: "Attention",
  chat: "Chat",
  plan: "Plan",
  executions: "Executions",
  records: "Records",
};

function tabs(state: State): Line {
  const needed = entriesOf({
    ...state,
    view: "attention",
    looking: { ...state.looking, attention: { ...state.looking.attention, search: "", filter: 0 } },
  }).total;
  const names = viewNames.map((name, index) => {
    const count = name === "attention" && needed > 0 ? show` ${painted("yellow", `(${needed})`)}` : show``;
    const isNamed = name === state.view || state.columns >= ALL_TABS_FROM_COLUMNS;
    const title = isNamed ? `${index + 1} ${titles[name]}` : `${index + 1}`;
    const label = Shown.join([painted(name === state.view ? "bold" : "dim", title), count]);
    return name === state.view ? show`[${label}]` : Shown.join([Shown.lines(" "), label, Shown.lines(" ")]);
  });
  const left = Shown.join(names);
  const right = connection(state);
  const room = state.columns - widthOf(textOf(right)) - 1;
  return [...fit(left, room), { text: " ", paint: undefined }, ...right.parts];
}

function connection({ connection: is, facts: { daemon } }: State): Shown {
  if (is === "lost") return painted("red", "not connected");
  if (is === "starting") return painted("dim", "connecting");
  return daemon?.paused ? painted("yellow", "paused") : painted("green", "live");
}

function status(state: State): Line {
  const { view, projectId, facts } = state;
  const project = facts.projects.find(({ id }) => id === projectId)?.name ?? "all projects";
  const running = facts.daemon ? `${facts.daemon.counts.running} running, ${facts.daemon.counts.queued} queued` : "";
  if (view === "chat") return fit(show`${painted("cyan", project)}  ${painted("dim", running)}`, state.columns);
  const { shown, total } = entriesOf(state);
  const { search } = state.looking[view];
  const kept = filters[view].length > 1 ? show`  ${filterOf(state).name}` : show``;
  const searched = search === "" ? show`` : show`  /${painted("yellow", search)}`;
  const counted = shown.length === total ? `${total}` : `${shown.length} of ${total}`;
  return fit(show`${painted("cyan", project)}${kept}${searched}  ${counted}  ${painted("dim", running)}`, state.columns);
}

function body(state: State, height: number): (Line | Row)[] {
  if (state.watched) return output(state, height);
  if (state.view === "chat") return drawChat(state, state.columns, height);
  const { shown } = entriesOf(state);
  const index = indexOf(shown, state.looking[state.view].place);
  const entry = shown[index];
  const detail = state.rows >= DETAIL_FROM_ROWS && entry ? drawDetail(state, entry, Math.floor(height / 3)) : [];
  const room = height - 1 - detail.length;
  const { from, to } = windowAround(shown.length, index, room);
  const rows = shown.slice(from, to).map((one, offset) => drawRow(state, one, from + offset === index));
  const filled = rows.length === 0 ? [fit(show`  ${painted("dim", emptyText(state))}`, state.columns)] : rows;
  const blank = Array.from({ length: Math.max(0, room - filled.length) }, () => fit(show``, state.columns));
  return [inColumns([{ shown: show``, width: 1 }, ...columnNames(state)], state.columns), ...filled, ...blank, ...detail];
}

function drawRow(state: State, entry: Entry, isSelected: boolean): Row {
  // The sign says it where there are no colours.
  return { line: inColumns([{ shown: Shown.lines(isSelected ? "›" : " "), width: 1 }, ...rowOf(state, entry)], state.columns), isSelected };
}

function drawDetail(state: State, entry: Entry, height: number): Line[] {
  const { columns } = state;
  const lines = detailOf(state, entry).flatMap((shown) =>
    textOf(shown).includes("\n") || widthOf(textOf(shown)) > columns ? wrapShown(shown, columns) : [fit(shown, columns)],
  );
  const shown = lines.slice(0, height - 1);
  const blank = Array.from({ length: Math.max(0, height - 1 - shown.length) }, () => fit(show``, columns));
  return [fit(painted("dim", "─".repeat(columns)), columns), ...shown, ...blank];
}

function wrapShown(shown: Shown, width: number): Line[] {
  return wrap(textOf(shown), width).map((line) => fit(Shown.lines(line), width));
}

function output(state: State, height: number): Line[] {
  const { watched, columns } = state;
  if (!watched) return [];
  const { lines, behind, title, hasEnded } = watched;
  const room = height - 1;
  const last = lines.length - behind;
  const shown = lines
    .slice(Math.max(0, last - room), last)
    .flatMap((line) => wrap(line, columns))
    .slice(-room);
  const where = behind > 0 ? `${plural(behind, "line")} below` : hasEnded ? "it has ended" : "live";
  const head = fit(
    show`${painted("bold", title)}  ${painted(behind === 0 && !hasEnded ? "green" : "dim", where)}  ${painted("dim", "escape: back")}`,
    columns,
  );
  const blank = Array.from({ length: Math.max(0, room - shown.length) }, () => fit(show``, columns));
  return [head, ...shown.map((line) => fit(Shown.lines(line), columns)), ...blank];
}

/** The line that is typed, or what was done last. */
function lastWord({ prompt, notice, columns }: State): Line[] {
  if (prompt) return [promptLine(prompt, columns)];
  if (!notice) return [fit(show``, columns)];
  const lines = wrap(textOf(Shown.lines(notice.text)), columns);
  const kept = [...lines.slice(0, NOTICE_ROWS_MAX - 1), lines.slice(NOTICE_ROWS_MAX - 1).join(" ")].filter((line) => line !== "");
  return kept.map((line) => fit(painted(notice.isFailure ? "red" : "green", line), columns));
}

function promptLine({ asks, text }: Prompt, columns: number): Line {
  const ask = show`${painted("yellow", asks)} `;
  const room = Math.max(10, columns - widthOf(textOf(ask)) - 1);
  const typed = Shown.lines(text)
    .parts.map((part) => part.text)
    .join("");
  // Its end is what is typed.
  return fit(Shown.join([ask, Shown.lines(`${[...typed].slice(-room).join("")}█`)]), columns);
}

function hints({ view, columns, prompt, watched }: State): Line {
  const hint = (key: string, does: string) => show`${painted("bold", key)} ${painted("dim", does)}`;
  const inRow = (shown: readonly Shown[]) => fit(Shown.join(fitting(shown, columns), "  "), columns);
  if (prompt?.purpose.to === "confirm") return inRow([hint("y", "yes"), hint("any other key", "no")]);
  if (prompt) return inRow([hint("enter", "done"), hint("escape", "never mind")]);
  if (watched)
    return inRow([
      hint("escape", "back"),
      hint("up, down", "scroll"),
      hint("t", "tell the agent"),
      hint("w", "its window"),
      hint("?", "help"),
    ]);
  const ofView = bindings.filter(({ views }) => views === undefined || views.includes(view));
  return inRow(ofView.flatMap(({ keys: [key = ""], hint: does }) => (does === undefined ? [] : [hint(key, does)])));
}

/** The first of them, as many as fit whole, each two columns from the next. */
function fitting(shown: readonly Shown[], columns: number): Shown[] {
  let used = 0;
  const count = shown.findIndex((one) => {
    used += widthOf(textOf(one)) + 2;
    return used - 2 > columns;
  });
  return shown.slice(0, count === -1 ? shown.length : count);
}

function help({ view, columns }: State): Line[] {
  const shown = bindings.filter(({ does, views }) => does !== undefined && (views === undefined || views.includes(view)));
  return [
    fit(show`${painted("bold", `Keys in ${titles[view]}`)}  ${painted("dim", "any key closes this")}`, columns),
    ...shown.map(({ keys, label, does = "" }) =>
      inColumns(
        [
          { shown: painted("cyan", label ?? keys.map(nameOf).join(" ")), width: 16 },
          { shown: show`${does}`, width: 0 },
        ],
        columns,
      ),
    ),
  ];
}

function nameOf(key: string): string {
  return key === " " ? "space" : key;
}

function emptyText({ connection: is, view, facts }: State): string {
  if (is === "starting") return "Reading ...";
  if (facts.projects.length === 0) return "No project is registered yet: drover init, in a git repository.";
  const texts = {
    attention: "Nothing needs you.",
    plan: "There is no plan yet: n files one.",
    executions: "No such tasks.",
    records: "No such records.",
    chat: "",
  };
  return texts[view];
}

function textOf(shown: Shown): string {
  return shown.parts.map(({ text }) => text).join("");
}
