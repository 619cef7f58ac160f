import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createGunzip } from "node:zlib";

/** No configuration but what the test gives: the machine's own settings would change what is tested. */
export const gitEnv: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Test",
  GIT_AUTHOR_EMAIL: "test@example.invalid",
  GIT_COMMITTER_NAME: "Test",
  GIT_COMMITTER_EMAIL: "test@example.invalid",
  LC_ALL: "C",
};

/** Runs git to its end and returns its stdout. Rejects with what it said on stderr. */
export function git(cwd: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { cwd, env: gitEnv, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`git ${args.join(" ")} failed (${code}): ${Buffer.concat(err).toString()}`));
    });
    // A command that reads nothing may have ended already; its exit code says what counts.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

export interface CommitFiles {
  readonly branch: string;
  readonly message?: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Adds a commit with these files to a branch of a bare repository; the branch begins at `main` where it is new. Returns the commit. */
export async function commitFiles(repository: string, { branch, message = "Change", files }: CommitFiles): Promise<string> {
  const parent = await firstKnown(repository, [`refs/heads/${branch}`, "refs/heads/main"]);
  const lines = [
    `commit refs/heads/${branch}`,
    "committer Test <test@example.invalid> 1700000000 +0000",
    `data ${Buffer.byteLength(message)}`,
    message,
  ];
  if (parent !== undefined) lines.push(`from ${parent}`);
  for (const [path, content] of Object.entries(files)) lines.push(`M 100644 inline ${path}`, `data ${Buffer.byteLength(content)}`, content);
  await git(repository, ["fast-import", "--quiet", "--force"], `${lines.join("\n")}\n\n`);
  return (await git(repository, ["rev-parse", `refs/heads/${branch}`])).trim();
}

async function firstKnown(repository: string, refs: readonly string[]): Promise<string | undefined> {
  const known = await git(repository, ["for-each-ref", "--format=%(objectname)", ...refs]);
  return known.split("\n").find((line) => line !== "");
}

/**
 * Answers one request of a git client by `git http-backend`: clone, fetch and push over HTTP. Returns how to end it early.
 * @param root folder of `owner/name.git`
 * @param path `/owner/name.git/info/refs`
 */
export function serveGit(request: IncomingMessage, response: ServerResponse, { root, path }: { root: string; path: string }): () => void {
  const query = request.url?.split("?")[1] ?? "";
  const child = spawn("git", ["http-backend"], {
    env: {
      ...gitEnv,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      REMOTE_USER: "x-access-token",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
  // The client may leave early, and so may git: neither is a fault of this server.
  child.stdin.on("error", () => {});
  body.on("error", () => child.kill());
  body.pipe(child.stdin);
  let head = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (response.headersSent) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    writeHead(response, head.subarray(0, end).toString());
    response.write(head.subarray(end + 4));
  });
  child.once("close", () => response.end());
  return () => child.kill("SIGKILL");
}

/** CGI headers: `Status: 404 Not Found` and the rest as they are. */
function writeHead(response: ServerResponse, text: string): void {
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  response.writeHead(status, headers);
}
