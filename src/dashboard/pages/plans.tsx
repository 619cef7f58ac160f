import type { TaskGraph } from "../../contract/routes.ts";
import { useQuery } from "../live/use-live.ts";
import { useProjects } from "../project-query.ts";
import { Link, setParameter, taskAddress, useParameter } from "../router.tsx";
import { useTaskActions } from "../task-actions.ts";
import { StatusBadge } from "../ui/badge.tsx";
import { Select } from "../ui/field.tsx";
import { Menu } from "../ui/menu.tsx";
import { Empty, Loaded, Page } from "../ui/page.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { asTrees, layOut, type Branching, type GraphTask, type Placed } from "./plan-layout.ts";

/** How open tasks hang together: what they are parts of, and what they wait for. */
export function PlansPage() {
  const project = useParameter("project");
  const view = useParameter("view") || "Tree";
  const graph = useQuery(
    `graph ${project}`,
    (client, signal) => client.getGraph({ query: project === "" ? {} : { project }, signal }),
    ({ type }) => /^task\.(?:created|status_changed|dependencies_changed|changed)$/.test(type),
  );
  const projects = useProjects().value?.items ?? [];
  return (
    <Page
      title="Plans"
      actions={
        <div>
          <Select label="Project" isQuiet value={project} onChange={(event) => setParameter("project", event.target.value)}>
            <option value="">All projects</option>
            {projects.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </div>
      }
    >
      <Loaded answer={graph}>
        {({ tasks, omitted }) => (
          <>
            {omitted > 0 ? <p className="text-muted">{omitted} newer tasks are not shown.</p> : null}
            <Tabs
              chosen={view}
              onChoose={(name) => setParameter("view", name === "Tree" ? "" : name)}
              tabs={[
                { name: "Tree", show: () => <Trees tasks={tasks} /> },
                { name: "Graph", show: () => <Graph tasks={tasks} /> },
              ]}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Trees({ tasks }: { readonly tasks: TaskGraph["tasks"] }) {
  const trees = asTrees(tasks);
  if (trees.length === 0) return <Empty>No task is open.</Empty>;
  return (
    <ul aria-label="Tasks and their parts" className="flex flex-col gap-1">
      {trees.map((tree) => (
        <Tree key={tree.task.id} tree={tree} />
      ))}
    </ul>
  );
}

function Tree({ tree: { task, children } }: { readonly tree: Branching }) {
  const actions = useTaskActions();
  return (
    <li>
      <div className="flex items-center gap-3 rounded-md border border-line bg-panel px-3 py-1.5">
        <Link href={taskAddress(task.key)} className="shrink-0 font-medium text-accent hover:underline">
          {task.key}
        </Link>
        <span className="min-w-0 flex-1 truncate">{task.title}</span>
        <StatusBadge status={task.status} reason={task.reason} />
        <Menu name={`Actions for ${task.key}`} items={actions({ ...task, priority: 50 })} />
      </div>
      {children.length === 0 ? null : (
        <ul aria-label={`Parts of ${task.key}`} className="mt-1 ml-4 flex flex-col gap-1 border-l-2 border-line pl-4">
          {children.map((child) => (
            <Tree key={child.task.id} tree={child} />
          ))}
        </ul>
      )}
    </li>
  );
}

const BOX = { width: 200, height: 54, right: 60, below: 18 };

function Graph({ tasks }: { readonly tasks: TaskGraph["tasks"] }) {
  const placed = layOut(tasks);
  if (placed.length === 0) return <Empty>No open task waits for another.</Empty>;
  const at = new Map<string, Placed>(placed.map((one) => [one.task.id, one]));
  const width = Math.max(...placed.map(({ column }) => column + 1)) * (BOX.width + BOX.right);
  const height = Math.max(...placed.map(({ row }) => row + 1)) * (BOX.height + BOX.below);
  const lines = placed.flatMap((to) => to.task.dependsOn.flatMap((id) => ({ from: at.get(id), to })));
  return (
    <div className="overflow-auto rounded-lg border border-line bg-panel p-4" tabIndex={0} role="region" aria-label="What waits for what">
      <div className="relative" style={{ width, height }}>
        <svg className="absolute inset-0 text-muted" width={width} height={height} aria-hidden="true">
          {lines.map(({ from, to }) =>
            from === undefined ? null : (
              <path key={`${from.task.id} ${to.task.id}`} d={curve(from, to)} fill="none" stroke="currentColor" strokeWidth="1.5" />
            ),
          )}
        </svg>
        <ul aria-label="Tasks that wait for others, or that others wait for">
          {placed.map((one) => (
            <Box key={one.task.id} placed={one} needed={one.task.dependsOn.flatMap((id) => at.get(id)?.task ?? [])} />
          ))}
        </ul>
      </div>
    </div>
  );
}

function Box({ placed: { task, column, row }, needed }: { readonly placed: Placed; readonly needed: readonly GraphTask[] }) {
  const place = { left: column * (BOX.width + BOX.right), top: row * (BOX.height + BOX.below), width: BOX.width, height: BOX.height };
  return (
    <li className="absolute rounded-md border border-line bg-page px-2.5 py-1.5" style={place}>
      <div className="flex items-center gap-2">
        <Link href={taskAddress(task.key)} className="text-xs font-medium text-accent hover:underline">
          {task.key}
        </Link>
        <span className="ml-auto">
          <StatusBadge status={task.status} reason={null} />
        </span>
      </div>
      <p className="truncate text-xs" title={task.title}>
        {task.title}
      </p>
      {needed.length === 0 ? null : <span className="sr-only">It waits for {needed.map(({ key }) => key).join(", ")}.</span>}
    </li>
  );
}

function curve(from: Placed, to: Placed): string {
  const x1 = from.column * (BOX.width + BOX.right) + BOX.width;
  const x2 = to.column * (BOX.width + BOX.right);
  const y1 = from.row * (BOX.height + BOX.below) + BOX.height / 2;
  const y2 = to.row * (BOX.height + BOX.below) + BOX.height / 2;
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}
