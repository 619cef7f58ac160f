import { useState, type FormEvent } from "react";
import type { Setting } from "../../contract/config.ts";
import type { DaemonStatus } from "../../contract/routes.ts";
import { dateTime, megabytes } from "../../words/format.ts";
import { useDaemon } from "../daemon-query.ts";
import { useClient, useQuery } from "../live/use-live.ts";
import { useProjects } from "../project-query.ts";
import { setParameter, useParameter } from "../router.tsx";
import { chooseTheme, chosenTheme, themes, type Theme } from "../theme.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Input, Select } from "../ui/field.tsx";
import { typedIn } from "../ui/form.ts";
import { Loaded, Page, Panel } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { useDo, useTell } from "../ui/toasts.tsx";

/** The daemon, this browser, and every setting in force with where it comes from. */
export function SettingsPage() {
  const daemon = useDaemon();
  return (
    <Page title="Settings">
      <div className="grid gap-4 lg:grid-cols-2">
        <Loaded answer={daemon}>{(status) => <Daemon status={status} />}</Loaded>
        <Browser />
      </div>
      <Settings />
    </Page>
  );
}

function Daemon({ status }: { readonly status: DaemonStatus }) {
  const client = useClient();
  const attempt = useDo();
  const { paused } = status;
  return (
    <Panel title="Daemon" actions={<Badge tone={status.status === "ok" ? "good" : "warn"}>{status.status}</Badge>}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        {[
          ["Version", status.version],
          ["Home", status.home],
          ["Started", dateTime(status.startedAt)],
          ["Memory", megabytes(status.memory.daemonBytes)],
          ["Strategy", status.strategy],
        ].map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 break-all">{value}</dd>
          </div>
        ))}
      </dl>
      <Button
        className="mt-3"
        onClick={() =>
          void attempt(
            () => client.changeQueue({ body: { paused: !paused } }),
            paused ? "Work starts again." : "Nothing new starts; what runs goes on.",
          )
        }
      >
        {paused ? "Resume the queue" : "Pause the queue"}
      </Button>
    </Panel>
  );
}

function Browser() {
  const client = useClient();
  const attempt = useDo();
  const [theme, setTheme] = useState<Theme>(chosenTheme());
  const [link, setLink] = useState<string>();
  const choose = (next: Theme) => {
    chooseTheme(next);
    setTheme(next);
  };
  const logOut = () =>
    void attempt(async () => {
      await client.logOut();
      location.assign("/");
    });
  return (
    <Panel title="This browser">
      <div className="flex flex-col gap-3">
        <div className="w-48">
          <Select label="Theme" value={theme} onChange={(event) => choose(themes.find((one) => one === event.target.value) ?? "system")}>
            {themes.map((one) => (
              <option key={one} value={one}>
                {one === "system" ? "as the system" : one}
              </option>
            ))}
          </Select>
        </div>
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => void attempt(async () => setLink((await client.createLoginLink()).url))}>
            A link for another browser
          </Button>
          <Button onClick={logOut}>Log out</Button>
        </div>
        {link === undefined ? null : (
          <p>
            Once, within five minutes: <code className="font-mono text-xs break-all">{link}</code>
          </p>
        )}
      </div>
    </Panel>
  );
}

function Settings() {
  const project = useParameter("project");
  const words = useParameter("words");
  const config = useQuery(
    `config ${project}`,
    (client, signal) => client.getConfig({ query: project === "" ? {} : { project }, signal }),
    ({ type }) => type.startsWith("config."),
  );
  const projects = useProjects().value?.items ?? [];
  return (
    <>
      <div className="flex flex-wrap items-end gap-2">
        <h2 className="mr-auto text-lg font-semibold">In force</h2>
        <Input
          label="Find a setting"
          isQuiet
          type="search"
          placeholder="Find a setting"
          value={words}
          onChange={(event) => setParameter("words", event.target.value)}
        />
        <Select label="Of" isQuiet value={project} onChange={(event) => setParameter("project", event.target.value)}>
          <option value="">for all projects</option>
          {projects.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      </div>
      <Loaded answer={config}>
        {({ settings, error }) => (
          <>
            {error === null ? null : <p className="text-bad">The file has an error, and the last good one is in force: {error}</p>}
            {project === "" ? <SetOne settings={settings} /> : null}
            <SettingTable settings={settings.filter(({ key }) => key.toLowerCase().includes(words.toLowerCase()))} />
          </>
        )}
      </Loaded>
    </>
  );
}

/** Sets one setting in the home's file, by its key and its value as one types it. */
function SetOne({ settings }: { readonly settings: readonly Setting[] }) {
  const client = useClient();
  const tell = useTell();
  const attempt = useDo();
  const set = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const [key, value] = [typedIn(form, "key"), typedIn(form, "value")];
    const isSet = await attempt(async () => {
      const { warnings } = await client.setSetting({ body: { key, value } });
      tell([`${key} is set.`, ...warnings].join(" "));
    });
    if (isSet) form.reset();
  };
  return (
    <form onSubmit={(event) => void set(event)} className="flex flex-wrap items-end gap-2">
      <div className="w-72">
        <Input label="Setting" name="key" list="setting-keys" required autoComplete="off" placeholder="daemon.maxProcesses" />
        <datalist id="setting-keys">
          {settings.map(({ key }) => (
            <option key={key} value={key} />
          ))}
        </datalist>
      </div>
      <div className="w-48">
        <Input label="Value" name="value" required autoComplete="off" />
      </div>
      <Button type="submit">Set</Button>
    </form>
  );
}

function SettingTable({ settings }: { readonly settings: readonly Setting[] }) {
  return (
    <Table
      name="Settings in force"
      rows={settings}
      keyOf={({ key }) => key}
      columns={[
        { name: "Setting", cell: ({ key }) => <code className="font-mono text-xs">{key}</code> },
        { name: "Value", cell: ({ value }) => <code className="block min-w-40 font-mono text-xs break-all">{JSON.stringify(value)}</code> },
        { name: "From", cell: ({ origin, place }) => <span className={origin === "default" ? "text-muted" : ""}>{place ?? origin}</span> },
      ]}
    />
  );
}
