import { z } from "zod";

/** Everything that shows how a task was done, as files: names of their own, never longer than a few megabytes together. Secrets are masked. */
export const TaskBundle = z.object({
  task: z.string(),
  files: z.array(z.object({ name: z.string().regex(/^[\w-]+(?:\/[\w-]+)*\.(?:md|json|txt|patch)$/), text: z.string() })),
});
export type TaskBundle = z.infer<typeof TaskBundle>;
