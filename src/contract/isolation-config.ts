import { z } from "zod";
import { doc, milliseconds } from "./setting-meta.ts";

/** An absolute path, taken as it is. */
const AbsolutePath = z.string().regex(/^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\0:]*$/, "use an absolute path without .. and :");

export const DockerConfig = z.strictObject({
  dockerfile: z
    .string()
    .regex(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$)).+$/, "use a path inside the repository")
    .default("Dockerfile")
    .meta(doc("what the project's image is built from; a path inside the repository, as it is on the base branch")),
  image: z
    .string()
    .regex(/^[\w][\w./:@-]*$/, "use the name of an image")
    .nullable()
    .default(null)
    .meta(doc("the image of a project whose repository has no such file")),
  setup: z
    .string()
    .min(1)
    .regex(/^[^\n]*$/, "use one line")
    .nullable()
    .default(null)
    .meta(doc("run by `sh` as root in an image on top of the project's, to install the agent; null: this machine's own is mounted")),
  buildTimeoutMs: milliseconds(1000).default(1_800_000).meta(doc("making the images fails after this time, milliseconds")),
  mounts: z
    .array(AbsolutePath)
    .default([])
    .meta(doc("files and folders of this machine that containers see at the same place, read-only", { scope: "global" })),
  privileged: z
    .boolean()
    .default(false)
    .meta(doc("give containers all rights of the machine's root; each such run is in the audit log", { scope: "global" })),
  socket: AbsolutePath.nullable()
    .default(null)
    .meta(doc("the engine's socket; null: what DOCKER_HOST names, else /var/run/docker.sock", { scope: "global", needsRestart: true })),
});

export const SandboxConfig = z.strictObject({
  allowedHosts: z
    .array(z.string().regex(/^(?:\*\.)?[a-z0-9][a-z0-9.-]*(?::\d{1,5})?$/i, "use host, host:port or *.domain"))
    .default([])
    .meta(
      doc(
        "what can be reached besides the agent's provider: `packages.example.org`, `*.example.com`, `localhost:5432`; without a port: 80 and 443",
        { scope: "global" },
      ),
    ),
  readable: z
    .array(AbsolutePath)
    .default([])
    .meta(doc("files and folders of the home folder, which is hidden otherwise, that can be read: toolchains", { scope: "global" })),
});
