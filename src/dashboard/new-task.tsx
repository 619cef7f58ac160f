import { useState, type FormEvent } from "react";
import { useProjects } from "./project-query.ts";
import { useClient } from "./live/use-live.ts";
import { goTo, taskAddress } from "./router.tsx";
import { Button } from "./ui/button.tsx";
import { Dialog } from "./ui/dialog.tsx";
import { Input, Select, TextArea } from "./ui/field.tsx";
import { typedIn } from "./ui/form.ts";
import { Empty, Loaded } from "./ui/page.tsx";
import { useDo } from "./ui/toasts.tsx";

/** Files a task, or a plan, of which tasks come. */
export function NewTask({ onClose }: { readonly onClose: () => void }) {
  const projects = useProjects();
  return (
    <Dialog title="New task" isOpen onClose={onClose}>
      <Loaded answer={projects}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              There is no project yet. In its folder, type <code>drover project register</code>.
            </Empty>
          ) : (
            <Form projects={items.map(({ name }) => name)} onClose={onClose} />
          )
        }
      </Loaded>
    </Dialog>
  );
}

function Form({ projects, onClose }: { readonly projects: readonly string[]; readonly onClose: () => void }) {
  const client = useClient();
  const attempt = useDo();
  const [isBusy, setIsBusy] = useState(false);
  // One form, one task: what is sent twice for a lost answer makes no second one.
  const [idempotencyKey] = useState(() => crypto.getRandomValues(new Uint32Array(4)).join("-"));
  const file = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = (name: string) => typedIn(form, name);
    setIsBusy(true);
    const isFiled = await attempt(async () => {
      const body = {
        project: text("project"),
        title: text("title"),
        body: text("body"),
        mode: text("mode") === "plan" ? ("plan" as const) : ("execute" as const),
        priority: Number(text("priority")),
        idempotencyKey,
      };
      const { key } = await client.createTask({ body });
      goTo(taskAddress(key));
    }, "Filed.");
    setIsBusy(false);
    if (isFiled) onClose();
  };
  return (
    <form onSubmit={(event) => void file(event)} className="flex flex-col gap-3">
      <Select label="Project" name="project">
        {projects.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <Input label="Title" name="title" required maxLength={500} autoComplete="off" />
      <TextArea label="What is wanted" name="body" rows={6} hint="The agent gets this as it is." />
      <div className="grid grid-cols-2 gap-3">
        <Select label="What comes of it" name="mode">
          <option value="execute">a change</option>
          <option value="plan">a written plan</option>
        </Select>
        <Input label="Priority" name="priority" type="number" min={0} max={100} defaultValue={50} hint="0 to 100; higher goes first." />
      </div>
      <Button kind="main" type="submit" disabled={isBusy} className="self-end">
        File it
      </Button>
    </form>
  );
}
