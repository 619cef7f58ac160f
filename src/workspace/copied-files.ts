import { constants } from "node:fs";
import { appendFile, copyFile, mkdir, realpath } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { AppError } from "../base/errors.ts";
import { digestOf } from "./capture.ts";
import { lookInside } from "./folders.ts";

/**
 * Files of the person's checkout that git does not hold (`.env.test`), by path in it, with the SHA-256 (hex) of each. Throws
 * `invalid` when a path leads out of the checkout, is no file, or is one that git holds; `not_found` when it is missing.
 */
export async function inspectCopies(
  checkout: string,
  paths: readonly string[],
  tracked: ReadonlySet<string>,
): Promise<Record<string, string>> {
  const digests = new Map<string, string>();
  for (const path of paths.map(normalized)) {
    await checkSource(checkout, path);
    if (tracked.has(path)) throw new AppError("invalid", `${path} is in git already. Take it out of workspace.copy.`);
    digests.set(path, await digestOf(join(checkout, path)));
  }
  return Object.fromEntries(digests);
}

/** Copies such files to the same paths in a workspace, with their modes, and hides them from its git. Throws `invalid` when a path leads out of it. */
export async function copyInto(workspace: string, checkout: string, paths: readonly string[]): Promise<void> {
  const patterns = paths.map((path) => `/${path.replace(/[\\*?[\]!# ]/g, "\\$&")}\n`);
  await appendFile(join(workspace, ".git", "info", "exclude"), patterns.join(""));
  for (const path of paths) await copyFile(join(checkout, path), await prepareTarget(workspace, path), constants.COPYFILE_FICLONE);
}

function normalized(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const isInside = parts.length > 0 && !path.startsWith("/") && !parts.includes("..") && parts[0] !== ".git" && !path.includes("\n");
  if (!isInside) throw new AppError("invalid", `“${path}” of workspace.copy does not name a file inside the checkout.`);
  return parts.join("/");
}

async function checkSource(checkout: string, path: string): Promise<void> {
  const root = await realpath(checkout);
  const place = await realpath(join(root, path)).catch(() => {
    throw new AppError("not_found", `${join(checkout, path)} of workspace.copy does not exist. Make it, or take it out of the list.`);
  });
  if (place !== resolve(root, path) || !place.startsWith(root + sep)) {
    throw new AppError("invalid", `${path} of workspace.copy is a link, or lies behind one. Only files inside the checkout are copied.`);
  }
  if (!(await lookInside(root, path))?.isFile())
    throw new AppError("invalid", `${path} of workspace.copy is no file. Name the files one by one.`);
}

/** Makes the folders on the way; a link among them, which the repository may hold, would lead out. */
async function prepareTarget(workspace: string, path: string): Promise<string> {
  const parts = dirname(path)
    .split("/")
    .filter((part) => part !== ".");
  for (let depth = 1; depth <= parts.length; depth++) {
    const folder = parts.slice(0, depth).join("/");
    const found = await lookInside(workspace, folder);
    if (found === undefined) await mkdir(join(workspace, folder));
    else if (!found.isDirectory())
      throw new AppError("invalid", `${path} of workspace.copy can't be put in place: ${folder} is no folder there.`);
  }
  const found = await lookInside(workspace, path);
  if (found !== undefined && !found.isFile())
    throw new AppError("invalid", `${path} of workspace.copy can't be put in place: something else is there.`);
  return join(workspace, path);
}
