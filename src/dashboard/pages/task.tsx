import type { CheckComparison, Proof } from "../../contract/proof.ts";
import type { TaskDetail } from "../../contract/routes.ts";
import type { Run } from "../../contract/run.ts";
import { count, inOneUnit, money, plural } from "../../words/format.ts";
import { useNow, useQuery } from "../live/use-live.ts";
import { Link, setParameter, taskAddress, useParameter } from "../router.tsx";
import { useTaskActions } from "../task-actions.ts";
import { OutcomeBadge, StateBadge, StatusBadge, VerdictBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Empty, Loaded, Page, Panel } from "../ui/page.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Ago } from "../ui/time.tsx";
import { Diff } from "./task-diff.tsx";
import { Output } from "./task-output.tsx";
import { TaskEvents } from "./task-events.tsx";

/** One task: what is wanted, how far it is, what was done for it, and what shows that it is done. */
export function TaskPage({ taskKey }: { readonly taskKey: string }) {
  const task = useQuery(
    `task ${taskKey}`,
    (client, signal) => client.getTask({ params: { task: taskKey }, signal }),
    ({ type, taskId }) => taskId !== null && !/^run\.(?:message|tool_|session)/.test(type),
  );
  const view = useParameter("view") || "Runs";
  return (
    <Page title={taskKey} actions={task.value === undefined ? null : <TaskButtons task={task.value} />}>
      <Loaded answer={task}>
        {(loaded) => (
          <>
            <Summary task={loaded} />
            <Tabs
              chosen={view}
              onChoose={(name) => setParameter("view", name === "Runs" ? "" : name)}
              tabs={[
                { name: "Runs", show: () => <Runs task={loaded} /> },
                { name: "Output", show: () => <OutputOf runs={loaded.runs} /> },
                { name: "Changes", show: () => <Diff taskKey={taskKey} /> },
                { name: "Events", show: () => <TaskEvents task={loaded} /> },
                { name: "Request", show: () => <Request task={loaded} /> },
              ]}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function TaskButtons({ task }: { readonly task: TaskDetail }) {
  const actions = useTaskActions();
  return actions(task).map(({ name, run, isBad }) => (
    <Button key={name} kind={isBad ? "bad" : "plain"} onClick={run}>
      {name}
    </Button>
  ));
}

function Summary({ task }: { readonly task: TaskDetail }) {
  const facts = [
    ["Stage", `${task.stage} of ${task.workflow}${task.workflowVersion === null ? "" : ` ${task.workflowVersion}`}`],
    ["Attempt", `${task.attempt} of ${task.attemptMax}${task.iteration > 1 ? `, iteration ${task.iteration}` : ""}`],
    ["Priority", String(task.priority)],
    ["Tokens", `${count(task.usage.inputTokens)} in, ${count(task.usage.outputTokens)} out`],
    ["Cost", money(task.usage.costUsdMicros)],
    ["Branch", task.branch ?? "-"],
  ];
  return (
    <Panel>
      <p className="text-base font-medium break-words">{task.title}</p>
      <div className="mt-2 flex flex-wrap items-center gap-3">
        <StatusBadge status={task.status} reason={task.reason} />
        <span className="text-muted">
          made <Ago at={task.createdAt} />
        </span>
        {task.pullRequest !== null && /^https?:/.test(task.pullRequest.url) ? (
          <a href={task.pullRequest.url} target="_blank" rel="noreferrer" className="text-accent underline">
            Pull request {task.pullRequest.number}
          </a>
        ) : null}
        {task.dependsOn.length > 0 || task.parentId !== null ? (
          <Link href={`/plans?task=${encodeURIComponent(task.key)}`} className="text-accent underline">
            What it belongs to
          </Link>
        ) : null}
      </div>
      {task.message === null ? null : <p className="mt-2 break-words">{task.message}</p>}
      <dl className="mt-4 grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-3 lg:grid-cols-6">
        {facts.map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-xs text-muted">{name}</dt>
            <dd className="truncate" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** The stages that it went through, each with its runs, the newest last. */
function Runs({ task }: { readonly task: TaskDetail }) {
  if (task.runs.length === 0) return <Empty>It has not begun yet.</Empty>;
  const stages = Map.groupBy(task.runs.toReversed(), ({ stage }) => stage);
  return (
    <ol className="flex flex-col gap-4">
      {[...stages].map(([stage, runs]) => (
        <li key={stage}>
          <Panel title={stage}>
            <ol className="flex flex-col gap-4 border-l-2 border-line pl-4">
              {runs.map((run) => (
                <RunView key={run.id} run={run} />
              ))}
            </ol>
          </Panel>
        </li>
      ))}
    </ol>
  );
}

function RunView({ run }: { readonly run: Run }) {
  const now = useNow();
  const took = inOneUnit(Math.max(0, (run.finishedAt ?? now) - run.startedAt));
  const proof = run.outcome?.status === "succeeded" || run.outcome?.status === "failed" ? run.outcome.proof : null;
  return (
    <li className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-3">
        <span className="font-medium">
          {run.iteration > 1 ? `Iteration ${run.iteration}, attempt ${run.attempt}` : `Attempt ${run.attempt}`}
        </span>
        {run.outcome !== null ? <OutcomeBadge outcome={run.outcome} /> : run.state === null ? null : <StateBadge state={run.state.state} />}
        <span className="text-muted">
          {run.agent}, {run.outcome === null ? `${run.progress} on worker ${run.worker} for ${took}` : took},{" "}
          {money(run.usage.costUsdMicros)}
        </span>
        <Link href={`?view=Output&run=${run.id}`} className="text-accent underline">
          Output
        </Link>
      </div>
      {run.outcome === null && run.state !== null ? <p className="text-muted">{run.state.evidence.join("; ")}</p> : null}
      {run.outcome?.status === "failed" || run.outcome?.status === "cancelled" ? (
        <p className="break-words">{run.outcome.message}</p>
      ) : null}
      {run.outcome !== null && run.outcome.status !== "cancelled" && run.outcome.report ? (
        <details>
          <summary className="text-muted">What the agent says</summary>
          <pre className="mt-2 max-h-80 overflow-auto rounded-md bg-raised p-3 font-mono text-xs whitespace-pre-wrap" tabIndex={0}>
            {run.outcome.report}
          </pre>
        </details>
      ) : null}
      {proof === null ? null : <ProofView proof={proof} />}
    </li>
  );
}

/** What shows that it is done: the checks, run by the daemon on the base and on the result. */
function ProofView({ proof }: { readonly proof: Proof }) {
  return (
    <div className="rounded-md border border-line p-3">
      <p className="text-xs text-muted">
        Proof, from <code className="font-mono">{proof.baseCommit.slice(0, 10)}</code> to{" "}
        <code className="font-mono">{proof.headCommit.slice(0, 10)}</code>, {plural(proof.checks.length, "check")}
      </p>
      <ul className="mt-2 flex flex-col gap-2">
        {proof.checks.map((check) => (
          <CheckView key={check.name} check={check} />
        ))}
      </ul>
      <pre className="mt-2 overflow-x-auto font-mono text-xs text-muted" tabIndex={0}>
        {proof.changes.join("\n")}
      </pre>
    </div>
  );
}

function CheckView({ check }: { readonly check: CheckComparison }) {
  return (
    <li className="flex flex-wrap items-center gap-2">
      <VerdictBadge verdict={check.verdict} />
      <span className="font-medium">{check.name}</span>
      <code className="font-mono text-xs text-muted">{check.command}</code>
      <span className="text-muted">{inOneUnit(check.head.durationMs)}</span>
      {check.verdict === "broken" || check.verdict === "known_failure" ? (
        <details className="w-full">
          <summary className="text-muted">What it says</summary>
          <pre className="mt-1 max-h-60 overflow-auto rounded-md bg-raised p-3 font-mono text-xs whitespace-pre-wrap" tabIndex={0}>
            {check.head.outputTail}
          </pre>
        </details>
      ) : null}
    </li>
  );
}

function OutputOf({ runs }: { readonly runs: readonly Run[] }) {
  const wanted = useParameter("run");
  const run = runs.find(({ id }) => id === wanted) ?? runs[0];
  if (run === undefined) return <Empty>No agent has said anything yet.</Empty>;
  return <Output key={run.id} run={run} />;
}

function Request({ task }: { readonly task: TaskDetail }) {
  const { url, kind, actor } = task.source;
  return (
    <Panel title="What is wanted">
      <p className="mb-3 text-muted">
        From{" "}
        {url !== null && /^https?:/.test(url) ? (
          <a href={url} target="_blank" rel="noreferrer" className="text-accent underline">
            {url}
          </a>
        ) : (
          kind
        )}
        {actor === null ? "" : `, by ${actor}`}
      </p>
      {task.body === "" ? (
        <p className="text-muted">The title says it all.</p>
      ) : (
        <pre className="font-sans break-words whitespace-pre-wrap">{task.body}</pre>
      )}
      {task.parentId === null ? null : (
        <Link href={taskAddress(task.parentId)} className="mt-3 inline-block text-accent underline">
          The task that it is a part of
        </Link>
      )}
    </Panel>
  );
}
