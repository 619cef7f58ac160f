import { useState, type FormEvent } from "react";
import type { ProjectStatus } from "../../contract/routes.ts";
import type { TaskCounts, TaskStatus } from "../../contract/task.ts";
import { useClient } from "../live/use-live.ts";
import { useProjects } from "../project-query.ts";
import { Link } from "../router.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/field.tsx";
import { Menu } from "../ui/menu.tsx";
import { Empty, Loaded, Page, Panel } from "../ui/page.tsx";
import { Ago } from "../ui/time.tsx";
import { useDo } from "../ui/toasts.tsx";

/** The registered projects: how far they are, and how much of the machine they get. */
export function ProjectsPage() {
  const projects = useProjects();
  return (
    <Page title="Projects">
      <Register />
      <Loaded answer={projects}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              No project is registered. Give the path of a repository above, or type <code>drover project register</code> in it.
            </Empty>
          ) : (
            <ul className="grid gap-3 lg:grid-cols-2" aria-label="Projects">
              {items.map((project) => (
                <li key={project.id}>
                  <ProjectCard project={project} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  );
}

function Register() {
  const client = useClient();
  const attempt = useDo();
  const [path, setPath] = useState("");
  const register = async (event: FormEvent) => {
    event.preventDefault();
    if (await attempt(() => client.registerProject({ body: { path } }), "Registered.")) setPath("");
  };
  return (
    <form onSubmit={(event) => void register(event)} className="flex max-w-2xl items-end gap-2">
      <div className="flex-1">
        <Input
          label="Path of a git repository"
          isQuiet
          placeholder="Path of a git repository on the daemon's machine"
          value={path}
          onChange={(event) => setPath(event.target.value)}
        />
      </div>
      <Button type="submit" disabled={path.trim() === ""}>
        Register
      </Button>
    </form>
  );
}

function ProjectCard({ project }: { readonly project: ProjectStatus }) {
  const client = useClient();
  const attempt = useDo();
  const { name, enabled } = project;
  const params = { project: name };
  const change = (body: { enabled?: boolean; priority?: number; weight?: number }) =>
    attempt(() => client.changeProject({ params, body }), `${name} is changed.`);
  return (
    <Panel
      title={name}
      actions={
        <>
          <Badge tone={enabled ? "good" : "muted"}>{enabled ? "on" : "off"}</Badge>
          <Menu
            name={`Actions for ${name}`}
            items={[
              { name: enabled ? "Switch off" : "Switch on", run: () => void change({ enabled: !enabled }) },
              { name: "Look at its issues now", run: () => void attempt(() => client.pollProject({ params }), `${name}: looked.`) },
              {
                name: "Unregister",
                isBad: true,
                run: () => void attempt(() => client.unregisterProject({ params }), `${name} is forgotten; its saved work stays.`),
              },
            ]}
          />
        </>
      }
    >
      <Progress counts={project.counts} name={name} />
      <p className="mt-3 truncate text-muted" title={project.path}>
        {project.repository ?? project.path}, base {project.baseBranch}
        {project.polledAt === null ? null : (
          <>
            , looked at <Ago at={project.polledAt} />
          </>
        )}
      </p>
      {[project.lastError, project.configError, project.credentials === "missing" ? "There is no token for its forge." : null].map(
        (problem) =>
          problem === null ? null : (
            <p key={problem} className="mt-1 break-words text-bad">
              {problem}
            </p>
          ),
      )}
      <div className="mt-3 flex flex-wrap items-end gap-3">
        <Setting
          label={`Priority of ${name}`}
          value={project.priority}
          min={0}
          max={100}
          step={1}
          onSet={(priority) => change({ priority })}
        />
        <Setting
          label={`Weight of ${name}`}
          value={project.weight}
          min={0.01}
          max={1000}
          step={0.01}
          onSet={(weight) => change({ weight })}
        />
        <Link href={`/?project=${name}`} className="ml-auto text-accent underline">
          Its board
        </Link>
      </div>
    </Panel>
  );
}

const parts: readonly { readonly statuses: readonly TaskStatus[]; readonly name: string; readonly color: string }[] = [
  { statuses: ["succeeded"], name: "done", color: "bg-good" },
  { statuses: ["running"], name: "running", color: "bg-busy" },
  { statuses: ["queued", "waiting", "draft"], name: "pending", color: "bg-line" },
  { statuses: ["blocked"], name: "blocked", color: "bg-warn" },
  { statuses: ["failed"], name: "failed", color: "bg-bad" },
];

/** How much of its work is done; what was cancelled is no work. */
function Progress({ counts, name }: { readonly counts: TaskCounts; readonly name: string }) {
  const shown = parts.map((part) => ({ ...part, count: part.statuses.reduce((sum, status) => sum + counts[status], 0) }));
  const total = shown.reduce((sum, { count }) => sum + count, 0);
  const percent = total === 0 ? 0 : Math.round((100 * counts.succeeded) / total);
  return (
    <>
      <div
        role="progressbar"
        aria-label={`Progress of ${name}`}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        className="flex h-2.5 overflow-hidden rounded-full bg-raised"
      >
        {shown.map((part) => (
          <div key={part.name} className={part.color} style={{ width: `${total === 0 ? 0 : (100 * part.count) / total}%` }} />
        ))}
      </div>
      <p className="mt-2 flex flex-wrap gap-x-4 text-xs text-muted">
        <span className="font-semibold text-ink">{percent} %</span>
        {shown.map((part) => (
          <span key={part.name}>
            {part.count} {part.name}
          </span>
        ))}
      </p>
    </>
  );
}

/** A number that holds as soon as one leaves it, or presses Enter. */
function Setting({
  label,
  value,
  onSet,
  ...range
}: {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onSet: (value: number) => Promise<boolean>;
}) {
  const set = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem("value") as HTMLInputElement;
    const typed = Number(field.value);
    if (typed !== value && !(await onSet(typed))) field.value = String(value);
  };
  return (
    <form onSubmit={(event) => void set(event)} className="w-32">
      <Input
        key={value}
        label={label.split(" ")[0] ?? label}
        aria-label={label}
        name="value"
        type="number"
        defaultValue={value}
        {...range}
        onBlur={(event) => event.target.form?.requestSubmit()}
      />
    </form>
  );
}
