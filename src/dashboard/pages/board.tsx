import { memo, useDeferredValue, useMemo, useState, type DragEvent, type KeyboardEvent } from "react";
import { arrange, boardColumns, priorityBetween, type BoardColumn, type Card } from "../../contract/board.ts";
import { money } from "../../words/format.ts";
import { useBoard, useClient, useLive } from "../live/use-live.ts";
import { useProjects } from "../project-query.ts";
import { Link, setParameter, taskAddress, useParameter } from "../router.tsx";
import { useTaskActions } from "../task-actions.ts";
import { StateBadge, StatusBadge } from "../ui/badge.tsx";
import { Input, Select } from "../ui/field.tsx";
import { Menu } from "../ui/menu.tsx";
import { Loaded, Page } from "../ui/page.tsx";
import { Ago } from "../ui/time.tsx";
import { useDo } from "../ui/toasts.tsx";
import { VirtualList } from "../ui/virtual-list.tsx";

const CARD_HEIGHT = 116;

/** All tasks by what they are at. */
export function BoardPage() {
  const board = useBoard();
  const project = useParameter("project");
  const words = useParameter("words");
  const shown = useDeferredValue(useFiltered(board.cards, project, words));
  const columns = useMemo(() => arrange(shown), [shown]);
  const answer = { value: board.isLoaded ? columns : undefined, error: board.error };
  return (
    <Page title="Board" isFull actions={<Filters project={project} words={words} />}>
      <Loaded answer={answer}>
        {(loaded) => (
          <>
            {board.omitted > 0 ? <p className="text-muted">{board.omitted} more tasks wait that are not shown.</p> : null}
            <div
              className="flex min-h-0 flex-1 snap-x snap-mandatory gap-3 overflow-x-auto pb-1 md:snap-none"
              role="group"
              aria-label="Columns"
              onKeyDown={moveFocus}
            >
              {boardColumns.map((name) => (
                <Column key={name} name={name} cards={loaded[name]} />
              ))}
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function useFiltered(cards: ReadonlyMap<string, Card>, project: string, words: string): readonly Card[] {
  return useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/u).filter(Boolean);
    const matches = (card: Card) => {
      const text = `${card.key} ${card.title} ${card.workflow} ${card.stage}`.toLowerCase();
      return (project === "" || card.project === project) && wanted.every((word) => text.includes(word));
    };
    return [...cards.values()].filter(matches);
  }, [cards, project, words]);
}

function Filters({ project, words }: { readonly project: string; readonly words: string }) {
  const projects = useProjects().value?.items ?? [];
  return (
    <div className="flex flex-wrap gap-2">
      <Input
        label="Find"
        isQuiet
        type="search"
        placeholder="Find tasks"
        value={words}
        onChange={(event) => setParameter("words", event.target.value)}
      />
      <Select label="Project" isQuiet value={project} onChange={(event) => setParameter("project", event.target.value)}>
        <option value="">All projects</option>
        {projects.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </div>
  );
}

const Column = memo(function Column({ name, cards }: { readonly name: BoardColumn; readonly cards: readonly Card[] }) {
  const drop = useDrop(name, cards);
  return (
    <section
      data-column={name}
      aria-label={name}
      className={`flex min-h-0 w-[85vw] shrink-0 snap-center flex-col rounded-lg border bg-raised md:w-0 md:min-w-44 md:shrink md:flex-1 ${drop.isOver ? "border-accent" : "border-transparent"}`}
      onDragOver={drop.onDragOver}
      onDragLeave={drop.onDragLeave}
      onDrop={drop.onDrop}
    >
      <h2 className="flex items-center gap-2 px-3 py-2 text-xs font-semibold tracking-wide uppercase">
        {name} <span className="text-muted">{cards.length}</span>
      </h2>
      <VirtualList name={name} rows={cards} rowHeight={CARD_HEIGHT} keyOf={({ id }) => id}>
        {(card) => <CardView card={card} />}
      </VirtualList>
    </section>
  );
});

const CardView = memo(function CardView({ card }: { readonly card: Card }) {
  const actions = useTaskActions();
  const isMovable =
    card.status === "queued" ||
    card.status === "waiting" ||
    card.status === "draft" ||
    card.status === "failed" ||
    card.status === "blocked";
  return (
    <article
      data-task={card.id}
      draggable={isMovable}
      onDragStart={(event) => event.dataTransfer.setData(CARD_TYPE, card.id)}
      className="mx-2 flex h-[calc(100%-8px)] flex-col gap-1 rounded-md border border-line bg-panel p-2.5"
    >
      <div className="flex items-center gap-1.5 text-xs text-muted">
        <span className="font-medium">{card.key}</span>
        <span title="priority">P{card.priority}</span>
        <span className="min-w-0 flex-1 truncate text-right">
          <Ago at={card.updatedAt} />
        </span>
        <div className="-my-1.5 -mr-1.5 shrink-0">
          <Menu name={`Actions for ${card.key}`} items={actions(card)} />
        </div>
      </div>
      <Link
        data-card
        href={taskAddress(card.key)}
        draggable={false}
        className="line-clamp-2 flex-1 font-medium break-words hover:underline"
      >
        {card.title}
      </Link>
      <div className="flex items-center gap-2 overflow-hidden text-xs text-muted">
        {card.run?.state ? <StateBadge state={card.run.state} /> : <StatusBadge status={card.status} reason={card.reason} />}
        <span className="truncate">{card.run === null ? card.stage : `${card.run.agent}, ${card.run.progress}`}</span>
        <span className="ml-auto tabular-nums">{card.costUsdMicros === null ? "" : money(card.costUsdMicros)}</span>
      </div>
    </article>
  );
});

const CARD_TYPE = "application/x-drover-task";

/** Dropped on what is pending, a task takes that place by its priority; one that has failed or is blocked is queued again. */
function useDrop(column: BoardColumn, cards: readonly Card[]) {
  const live = useLive();
  const client = useClient();
  const attempt = useDo();
  const [isOver, setIsOver] = useState(false);
  const accepts = (event: DragEvent) => column === "pending" && event.dataTransfer.types.includes(CARD_TYPE);
  const place = async (card: Card, below: Card | undefined) => {
    const params = { task: card.key };
    if (card.status === "failed" || card.status === "blocked")
      return attempt(() => client.retryTask({ params }), `${card.key} is queued again.`);
    // Priorities count within a project, so its neighbours are those of its own.
    const others = cards.filter((other) => other.project === card.project && other.id !== card.id);
    const index =
      below === undefined ? others.length : others.findIndex((other) => other.id === below.id || other.priority < below.priority);
    const at = index < 0 ? others.length : index;
    const priority = priorityBetween(others[at - 1]?.priority, others[at]?.priority);
    live.board.show({ ...card, priority });
    return attempt(() => client.changeTask({ params, body: { priority } }), `${card.key} has priority ${priority}.`);
  };
  return {
    isOver,
    onDragOver: (event: DragEvent) => {
      if (!accepts(event)) return;
      event.preventDefault();
      setIsOver(true);
    },
    onDragLeave: () => setIsOver(false),
    onDrop: (event: DragEvent) => {
      setIsOver(false);
      if (!accepts(event)) return;
      event.preventDefault();
      const card = live.board.board().cards.get(event.dataTransfer.getData(CARD_TYPE));
      const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-task]")?.dataset["task"] : undefined;
      if (card !== undefined)
        void place(
          card,
          cards.find(({ id }) => id === target),
        );
    },
  };
}

/** The arrows go from card to card: up and down a column, and over to the same height of the next one. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const column = document.activeElement?.closest("[data-column]");
  const from = document.activeElement?.closest("article")?.querySelector<HTMLElement>("[data-card]");
  if (!column || !from) return;
  const to =
    event.key === "ArrowDown" || event.key === "ArrowUp"
      ? inColumn(column, from, event.key === "ArrowDown" ? 1 : -1)
      : beside(event, column, from);
  if (to === undefined) return;
  event.preventDefault();
  to.focus();
}

function inColumn(column: Element, from: HTMLElement, step: 1 | -1): HTMLElement | undefined {
  const cards = cardsOf(column);
  return cards[cards.indexOf(from) + step];
}

function beside({ key, currentTarget }: KeyboardEvent<HTMLElement>, column: Element, from: HTMLElement): HTMLElement | undefined {
  if (key !== "ArrowRight" && key !== "ArrowLeft") return undefined;
  const columns = [...currentTarget.querySelectorAll("[data-column]")];
  const others = key === "ArrowRight" ? columns.slice(columns.indexOf(column) + 1) : columns.slice(0, columns.indexOf(column)).toReversed();
  const top = from.getBoundingClientRect().top;
  const distance = (card: HTMLElement) => Math.abs(card.getBoundingClientRect().top - top);
  return others.map((other) => cardsOf(other).toSorted((one, two) => distance(one) - distance(two))[0]).find((card) => card !== undefined);
}

function cardsOf(column: Element): HTMLElement[] {
  return [...column.querySelectorAll<HTMLElement>("[data-card]")].toSorted(
    (one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top,
  );
}
