import { slug } from "../base/text.ts";

/** The branch of a task, `drover/12-fix-the-login`: of `[a-z0-9/-]` only, whatever the title holds, and valid for git. */
export function branchName(prefix: string, number: number, title: string): string {
  const parts = prefix.split("/").filter((part) => part !== "");
  const last = prefix.endsWith("/") ? "" : (parts.pop() ?? "");
  return [...parts, `${last}${taskSlug(number, title)}`].join("/");
}

/** The name of a task's folder, `12-fix-the-login`. */
export function taskSlug(number: number, title: string): string {
  return `${number}-${slug(title)}`;
}

// What git forbids anywhere in the name of a branch (git-check-ref-format): controls, space, and what means something to git.
// oxlint-disable-next-line no-control-regex -- Controls are what is looked for.
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|^[./-]|[./]$|\.lock(?:\/|$)/;

/** Whether git takes this as the name of a branch. A name that a person configured is checked before it gets into a refspec. */
export function isBranchName(name: string): boolean {
  return name !== "" && name !== "HEAD" && !FORBIDDEN.test(name);
}
