import { z } from "zod";

/** What `drover doctor` found at one thing. `warn`: Drover works, but not all of it; `fail`: it does not, or will lose something. */
export const Finding = z.object({
  /** `git`, `agent claude` */
  check: z.string(),
  level: z.enum(["ok", "warn", "fail"]),
  found: z.string(),
  /** What to do; null: nothing. */
  remedy: z.string().nullable(),
});
export type Finding = z.infer<typeof Finding>;
