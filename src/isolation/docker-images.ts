import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AppError, toAppError } from "../base/errors.ts";
import type { WrapRequest } from "./isolation.ts";
import type { DockerEngine } from "./docker-engine.ts";
import { tarOf } from "./tar.ts";

type ImageRequest = Pick<WrapRequest, "project" | "config" | "source">;

/** An image that could not be made is not tried again for this long, unless what it is made of changes, milliseconds. */
const FAILED_FOR_MS = 5 * 60_000;
/** What of a build's output is told when it fails. */
const TAIL_LINES = 20;

/**
 * The images of projects, in two stages: `drover-base/PROJECT` from the repository's own Dockerfile as it is on the base
 * branch, and on top `drover-agent/PROJECT` with a git identity and, if `docker.setup` says how, the agent. One at a time
 * for a project; what an image replaces is removed.
 */
export class DockerImages {
  readonly #engine: DockerEngine;
  readonly #clock: Clock;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #failed = new Map<string, { readonly madeOf: string; readonly at: number; readonly error: AppError }>();

  constructor(engine: DockerEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** The id of the image for a project's containers, made if it is not there. Throws `conflict` with reason `image_failed` and the end of the output. */
  async make(request: ImageRequest, signal: AbortSignal): Promise<string> {
    const { id } = request.project;
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(
      () => this.#make(request, signal),
      () => this.#make(request, signal),
    );
    this.#turns.set(id, turn);
    return turn;
  }

  async #make(request: ImageRequest, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { project, config, source } = request;
    const { dockerfile, image, setup, buildTimeoutMs } = config.docker;
    const madeOf = digest([source.commit, dockerfile, image, setup]);
    const failed = this.#failed.get(project.id);
    if (failed?.madeOf === madeOf && this.#clock.elapsed() - failed.at < FAILED_FOR_MS) throw failed.error;
    const late = new AbortController();
    const cancelTimer = this.#clock.setTimer(buildTimeoutMs, () =>
      late.abort(new AppError("timeout", `It took longer than docker.buildTimeoutMs allows (${buildTimeoutMs} ms).`)),
    );
    try {
      const within = AbortSignal.any([signal, late.signal]);
      const base = await this.#base(request, within);
      const agent = await this.#agent(request, base, within);
      this.#failed.delete(project.id);
      return agent;
    } catch (thrown) {
      signal.throwIfAborted();
      const cause = toAppError(late.signal.aborted ? late.signal.reason : thrown);
      if (cause.code === "internal") throw cause;
      const error = new AppError("conflict", `The Docker image of ${project.name} could not be made: ${cause.message}`, {
        reason: "image_failed",
        cause,
      });
      this.#failed.set(project.id, { madeOf, at: this.#clock.elapsed(), error });
      throw error;
    } finally {
      cancelTimer();
    }
  }

  async #base(request: ImageRequest, signal: AbortSignal): Promise<string> {
    const { project, config, source } = request;
    const name = `drover-base/${imageName(project.name)}`;
    const tag = digest([source.commit, config.docker.dockerfile]);
    const known = await this.#find(`${name}:${tag}`);
    if (known) return known;
    const folder = await mkdtemp(join(tmpdir(), "drover-context-"));
    try {
      const tarFile = join(folder, "context.tar");
      await source.archive(tarFile, signal);
      return await this.#build(request, { name, tag, dockerfile: config.docker.dockerfile, context: { tarFile } }, signal);
    } catch (thrown) {
      const isMissing = thrown instanceof AppError && /cannot locate (?:specified )?dockerfile/iu.test(thrown.message);
      if (!isMissing) throw thrown;
      if (config.docker.image !== null) return await this.#given(config.docker.image, signal);
      throw new AppError(
        "not_found",
        `its repository has no ${config.docker.dockerfile} on ${project.baseBranch}. Add one, or set docker.image.`,
        { cause: thrown },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #given(image: string, signal: AbortSignal): Promise<string> {
    const known = await this.#find(image);
    if (known) return known;
    const [name, tag = "latest"] = image.includes("@") ? [image, ""] : splitTag(image);
    const path = `/images/create?${new URLSearchParams({ fromImage: name, tag }).toString()}`;
    for await (const line of this.#engine.lines<BuildLine>("POST", path, undefined, signal)) {
      if (line.error !== undefined) throw new AppError("not_found", line.error);
    }
    const pulled = await this.#find(image);
    if (!pulled) throw new AppError("not_found", `there is no image ${image}.`);
    return pulled;
  }

  async #agent(request: ImageRequest, base: string, signal: AbortSignal): Promise<string> {
    const text = agentDockerfile(base, request.config.docker.setup);
    const name = `drover-agent/${imageName(request.project.name)}`;
    const tag = digest([text]);
    const known = await this.#find(`${name}:${tag}`);
    return known ?? this.#build(request, { name, tag, dockerfile: "Dockerfile", context: { tar: tarOf("Dockerfile", text) } }, signal);
  }

  async #build({ project }: ImageRequest, { name, tag, dockerfile, context }: Build, signal: AbortSignal): Promise<string> {
    const labels = JSON.stringify({ "drover.project": project.name });
    const query = new URLSearchParams({ dockerfile, labels, rm: "1", forcerm: "1" });
    for (const one of ["latest", tag]) query.append("t", `${name}:${one}`);
    const tail: string[] = [];
    for await (const { stream, error } of this.#engine.lines<BuildLine>("POST", `/build?${query.toString()}`, context, signal)) {
      if (stream !== undefined && stream.trim() !== "") tail.push(stream.trimEnd());
      if (tail.length > TAIL_LINES) tail.shift();
      if (error !== undefined) throw new AppError("conflict", [error, ...tail].join("\n"));
    }
    const made = await this.#find(`${name}:${tag}`);
    if (made === undefined) throw new AppError("unavailable", `Docker made ${name}:${tag} and does not have it.`);
    await this.#removeOthers(name, tag);
    return made;
  }

  /** The id of an image; undefined: the engine has none of this name. */
  async #find(name: string): Promise<string | undefined> {
    try {
      return (await this.#engine.json<{ Id: string }>("GET", `/images/${name}/json`)).Id;
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === "not_found") return undefined;
      throw thrown;
    }
  }

  /** What was made of earlier commits. An image goes with the last of its tags. */
  async #removeOthers(name: string, tag: string): Promise<void> {
    const filters = JSON.stringify({ reference: [name] });
    const images = await this.#engine.json<{ RepoTags: string[] | null }[]>("GET", `/images/json?filters=${encodeURIComponent(filters)}`);
    const kept = new Set([`${name}:latest`, `${name}:${tag}`]);
    for (const old of images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((one) => !kept.has(one))) {
      try {
        await this.#engine.text("DELETE", `/images/${old}`);
      } catch (thrown) {
        // Gone already, or a running container or another image still needs it: then it goes with the next one that replaces it.
        if (!(thrown instanceof AppError && (thrown.code === "not_found" || thrown.code === "conflict"))) throw thrown;
      }
    }
  }
}

interface Build {
  readonly name: string;
  /** What it is made of: the same again needs no making. */
  readonly tag: string;
  readonly dockerfile: string;
  readonly context: { readonly tar: Buffer } | { readonly tarFile: string };
}

/** A line of a build's or a pull's output. A failing build answers with status 200 and tells by `error` alone. */
interface BuildLine {
  readonly stream?: string;
  readonly error?: string;
}

/** Git takes its identity from the environment, so it needs no file, and neither shell nor git in the image. */
function agentDockerfile(base: string, setup: string | null): string {
  const settings = Object.entries({ "user.name": "Drover", "user.email": "drover@localhost", "safe.directory": "*" });
  const git = settings.map(([key, value], index) => `GIT_CONFIG_KEY_${index}=${key} GIT_CONFIG_VALUE_${index}=${value}`);
  return [
    `FROM ${base}`,
    "USER root",
    ...(setup === null ? [] : [`RUN ${setup}`]),
    `ENV GIT_CONFIG_COUNT=${settings.length} ${git.join(" ")}`,
    "WORKDIR /workspace",
    "ENTRYPOINT []",
    "",
  ].join("\n");
}

/** A project's name as Docker wants names: small letters, digits and single dashes. */
function imageName(project: string): string {
  return (
    project
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/gu, "-")
      .replaceAll(/^-|-$/gu, "") || "project"
  );
}

function splitTag(image: string): [string, string | undefined] {
  const at = image.lastIndexOf(":");
  return at > image.lastIndexOf("/") ? [image.slice(0, at), image.slice(at + 1)] : [image, undefined];
}

function digest(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}
