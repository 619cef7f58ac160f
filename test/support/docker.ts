import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A Docker engine of the test's own, in a network namespace that leads nowhere, with one image. */
export interface DockerFixture extends AsyncDisposable {
  readonly socket: string;
  /** Made of this machine's sh (busybox), bash, git and Node.js. */
  readonly image: string;
  /** The docker command of this engine. */
  readonly docker: (...args: string[]) => string;
  /** Leads containers to a unix socket of ours outside; returns the address that they see. */
  readonly relay: (socket: string) => Promise<string>;
}

export const IMAGE = "drover-test:latest";
/** Of the bridge that containers are on. */
const GATEWAY = "172.31.255.1";
const relayProgram = fileURLToPath(new URL("../programs/relay.ts", import.meta.url));

/** Why no engine can be started here; undefined: it can. */
export function whyNoDocker(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can start a Docker engine of its own";
  const missing = ["dockerd", "docker", "busybox", "iptables"].filter((name) => spawnSync("which", [name]).status !== 0);
  return missing.length === 0 ? undefined : `${missing.join(", ")} not installed (apt-get install docker.io busybox-static iptables)`;
}

export async function startDocker(): Promise<DockerFixture> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "docker-"));
  stack.defer(async () => {
    // The engine leaves its network namespaces mounted.
    for (const path of mountsIn(folder)) spawnSync("umount", ["--lazy", path]);
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  const socket = join(folder, "docker.sock");
  const engine = startEngine(folder, socket);
  const ended = once(engine, "exit");
  stack.defer(async () => {
    engine.kill("SIGTERM");
    await ended;
  });
  const docker = (...args: string[]) =>
    execFileSync("docker", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], DOCKER_HOST: `unix://${socket}`, HOME: folder },
    }).trim();
  await untilUp(docker, engine, join(folder, "log"));
  importImage(folder, docker);
  const relays: ChildProcess[] = [];
  stack.defer(async () => {
    for (const child of relays) {
      child.stdin?.end();
      await once(child, "exit");
    }
  });
  const relay = async (target: string) => {
    const child = spawn("nsenter", ["-t", `${engine.pid}`, "-n", "--", process.execPath, relayProgram, target, GATEWAY], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    relays.push(child);
    const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return `http://${GATEWAY}:${port}`;
  };
  const all = stack.move();
  return { socket, image: IMAGE, docker, relay, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Its bridge and what it does to the firewall stay in its own namespace. */
function startEngine(folder: string, socket: string): ChildProcess {
  const engine = ["dockerd", "--host", `unix://${socket}`, "--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")];
  const rest = [
    "--pidfile",
    join(folder, "pid"),
    "--iptables=false",
    "--ip6tables=false",
    "--ip-masq=false",
    "--log-level=error",
    "--bip",
    `${GATEWAY}/24`,
  ];
  const command = [...engine, ...rest].map((word) => `'${word}'`).join(" ");
  return spawn("unshare", ["--net", "sh", "-c", `ip link set lo up && exec ${command} >'${join(folder, "log")}' 2>&1`], {
    stdio: "ignore",
    // Where containerd writes what it did when a busy machine makes it slow to stop.
    env: { ...process.env, TMPDIR: folder },
  });
}

async function untilUp(docker: DockerFixture["docker"], engine: ChildProcess, log: string): Promise<void> {
  for (;;) {
    if (engine.exitCode !== null) throw new Error(`dockerd ended: ${readFileSync(log, "utf8").slice(-2000)}`);
    try {
      docker("version");
      return;
    } catch {
      // Not yet; the test's time limit is the end of this.
    }
  }
}

function importImage(folder: string, docker: DockerFixture["docker"]): void {
  const root = join(folder, "root");
  for (const name of ["bin", "usr/bin", "usr/lib/git-core", "usr/share/git-core/templates", "etc", "tmp", "root"])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync(programOf("busybox"), join(root, "bin/busybox"));
  for (const name of execFileSync(programOf("busybox"), ["--list"], { encoding: "utf8" }).split("\n"))
    if (name !== "" && name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
  copyProgram(root, programOf("git"), "usr/bin/git");
  copyProgram(root, programOf("bash"), "usr/bin/bash");
  copyProgram(root, process.execPath, "usr/bin/node");
  // What agents are linked to, and how their scripts begin.
  for (const name of ["librt.so.1", "libpthread.so.0", "libdl.so.2", "libm.so.6"]) copyLibrary(root, libraryOf(name));
  symlinkSync("/bin/busybox", join(root, "usr/bin/env"));
  symlinkSync("/usr/bin/git", join(root, "usr/lib/git-core/git"));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
  const tar = join(folder, "root.tar");
  execFileSync("tar", ["-C", root, "--numeric-owner", "-cf", tar, "."]);
  docker("import", tar, IMAGE);
  execFileSync("rm", ["-rf", root, tar]);
}

function programOf(name: string): string {
  return realpathSync(execFileSync("which", [name], { encoding: "utf8" }).trim());
}

/** A program with the libraries that it is linked to, at their own places. */
function copyProgram(root: string, path: string, to: string): void {
  copyFileSync(path, join(root, to));
  for (const [library] of execFileSync("ldd", [path], { encoding: "utf8" }).matchAll(/\/\S+/gu)) copyLibrary(root, library);
}

function copyLibrary(root: string, path: string): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  copyFileSync(path, join(root, path));
}

function libraryOf(name: string): string {
  const known = execFileSync("ldconfig", ["-p"], { encoding: "utf8" })
    .split("\n")
    .find((line) => line.trim().startsWith(`${name} `));
  const path = known?.split(" => ")[1];
  if (path === undefined) throw new Error(`There is no ${name} here.`);
  return path;
}

function mountsIn(folder: string): string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return mounts.filter((path) => path.startsWith(folder)).toReversed();
}

/** What containers there are, running or not. */
export function containersOf({ docker }: DockerFixture): string[] {
  return docker("ps", "--all", "--quiet").split("\n").filter(Boolean);
}
