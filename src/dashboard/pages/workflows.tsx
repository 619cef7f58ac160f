import { useState, type FormEvent } from "react";
import type { Stage, WorkflowVersion } from "../../contract/workflow.ts";
import { useClient, useQuery } from "../live/use-live.ts";
import { setParameter, useParameter } from "../router.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Select, TextArea } from "../ui/field.tsx";
import { typedIn } from "../ui/form.ts";
import { Loaded, Page, Panel } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { useDo, useTell } from "../ui/toasts.tsx";

/** How kinds of tasks are done: their stages, what each says to its agent, and the versions that there were. */
export function WorkflowsPage() {
  const workflows = useQuery(
    "workflows",
    (client, signal) => client.listWorkflows({ signal }),
    ({ type }) => type.startsWith("workflow."),
  );
  const wanted = useParameter("name");
  return (
    <Page title="Workflows">
      <Loaded answer={workflows}>
        {({ items }) => {
          const shown = items.find(({ name }) => name === wanted) ?? items[0];
          return (
            <>
              <div className="w-64">
                <Select label="Workflow" value={shown?.name} onChange={(event) => setParameter("name", event.target.value)}>
                  {items.map(({ name }) => (
                    <option key={name}>{name}</option>
                  ))}
                </Select>
              </div>
              {shown === undefined ? null : <WorkflowView key={shown.name} version={shown} />}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function WorkflowView({ version }: { readonly version: WorkflowVersion }) {
  const { workflow, file } = version;
  return (
    <>
      <Panel title={`${workflow.name}, version ${version.version}`}>
        <p>{workflow.description}</p>
        <p className="mt-1 break-words text-muted">{file === null ? "It comes with Drover." : `From ${file}`}</p>
      </Panel>
      <Table
        name="Stages"
        rows={workflow.stages}
        keyOf={({ name }) => name}
        columns={[
          { name: "Stage", cell: ({ name }) => <span className="font-medium">{name}</span> },
          { name: "Agent", cell: ({ agent, model }) => `${agent ?? "the project's"}${model === null ? "" : `, ${model}`}` },
          { name: "Yields", cell: ({ yields, children }) => `${yields}${children === null ? "" : ` for ${children}`}` },
          { name: "Loop", cell: ({ loop }) => (loop === null ? "-" : `up to ${loop.iterations}`) },
          {
            name: "Checks",
            cell: ({ checks }) => (checks === "project" ? "the project's" : checks.map((check) => check.name).join(", ") || "none"),
          },
          { name: "Approval", cell: ({ approval }) => (approval ? "a person" : "-") },
        ]}
      />
      <Editor workflow={workflow.name} />
      {workflow.stages.map((stage) => (
        <Prompt key={stage.name} workflow={workflow.name} stage={stage} />
      ))}
      <Versions workflow={workflow.name} />
    </>
  );
}

const never = () => false;

/** The workflow as its file has it. What is saved is checked first, and holds for tasks that begin from then on. */
function Editor({ workflow }: { readonly workflow: string }) {
  const client = useClient();
  const tell = useTell();
  const [problem, setProblem] = useState<string>();
  const answer = useQuery(
    `text ${workflow}`,
    (asked, signal) => asked.getWorkflowText({ params: { workflow }, signal }),
    ({ type }) => type.startsWith("workflow."),
  );
  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = typedIn(event.currentTarget, "text");
    try {
      const { version } = await client.writeWorkflow({ params: { workflow }, body: { text } });
      setProblem(undefined);
      tell(`New tasks get version ${version} of ${workflow}.`);
    } catch (thrown) {
      setProblem(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  return (
    <details className="rounded-lg border border-line bg-panel p-4">
      <summary className="font-semibold">Change it</summary>
      <Loaded answer={answer}>
        {({ text }) => (
          <form key={text} onSubmit={(event) => void save(event)} className="mt-3 flex flex-col gap-3">
            <TextArea
              label={`Workflow ${workflow}, as YAML`}
              isQuiet
              name="text"
              rows={16}
              defaultValue={text}
              spellCheck={false}
              className="font-mono text-xs"
            />
            {problem === undefined ? null : (
              <p role="alert" className="whitespace-pre-wrap text-bad">
                {problem}
              </p>
            )}
            <Button kind="main" type="submit" className="self-start">
              Save
            </Button>
          </form>
        )}
      </Loaded>
    </details>
  );
}

function Prompt({ workflow, stage }: { readonly workflow: string; readonly stage: Stage }) {
  const prompt = useQuery(
    `prompt ${workflow} ${stage.name}`,
    (client, signal) => client.renderWorkflow({ params: { workflow }, query: { stage: stage.name }, signal }),
    never,
  );
  return (
    <details className="rounded-lg border border-line bg-panel p-4">
      <summary className="font-semibold">What the agent of {stage.name} is told</summary>
      <Loaded answer={prompt}>
        {(text) => (
          <pre className="mt-3 max-h-96 overflow-auto rounded-md bg-raised p-3 font-mono text-xs whitespace-pre-wrap" tabIndex={0}>
            {text}
          </pre>
        )}
      </Loaded>
    </details>
  );
}

function Versions({ workflow }: { readonly workflow: string }) {
  const client = useClient();
  const attempt = useDo();
  const answer = useQuery(
    `workflow ${workflow}`,
    (asked, signal) => asked.getWorkflow({ params: { workflow }, signal }),
    ({ type }) => type.startsWith("workflow."),
  );
  const goBack = (version: number) =>
    attempt(() => client.rollBackWorkflow({ params: { workflow }, body: { version } }), `New tasks get version ${version} of ${workflow}.`);
  return (
    <Loaded answer={answer}>
      {({ versions }) => (
        <Table
          name="Versions"
          rows={versions}
          keyOf={({ version }) => version}
          columns={[
            { name: "Version", cell: ({ version }) => version },
            { name: "Accepted", cell: ({ acceptedAt }) => <Ago at={acceptedAt} /> },
            {
              name: "For new tasks",
              cell: ({ version, inForce }) =>
                inForce ? (
                  <Badge tone="good">in force</Badge>
                ) : (
                  <Button onClick={() => void goBack(version)}>Go back to version {version}</Button>
                ),
            },
          ]}
        />
      )}
    </Loaded>
  );
}
