import { z } from "zod";
import { Effect } from "../contract/effect.ts";
import { Branch } from "../contract/branch.ts";
import { Account, Circuit } from "../contract/circuit.ts";
import { Alert, AuditEntry, Event, WorkerHeartbeat } from "../contract/event.ts";
import { HookEvent } from "../contract/hook.ts";
import { DeadLetter, Message, MessageCounters, Subscription } from "../contract/message.ts";
import { CheckComparison, CheckResult, Proof, Usage } from "../contract/proof.ts";
import { Report } from "../contract/report.ts";
import type { Route } from "../contract/route.ts";
import { DaemonStatus, Health, Problem, ProjectStatus, QueueStatus, routes, TaskDetail, type RouteName } from "../contract/routes.ts";
import { LoopNote, Question, Run, RunOutcome, RunState, Worker } from "../contract/run.ts";
import { Checkpoint, Task, TaskCounts, TaskSource, TaskStatus } from "../contract/task.ts";
import { Setting } from "../contract/config.ts";
import { WorkflowVersion } from "../contract/workflow.ts";
import { examples } from "./examples.ts";

type Json = Record<string, unknown>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Json;
}

export interface Operation {
  readonly operationId: RouteName;
  readonly summary: string;
  readonly tags: readonly [string];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, { schema: Json; example: unknown }>> };
  readonly responses: Readonly<Record<string, Json>>;
  readonly security?: readonly [];
}

export interface OpenApiDocument extends Json {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The nouns that other schemas refer to by name. */
const nouns = {
  Account,
  Alert,
  AuditEntry,
  Branch,
  CheckComparison,
  Checkpoint,
  CheckResult,
  Circuit,
  DaemonStatus,
  DeadLetter,
  Effect,
  Event,
  Health,
  HookEvent,
  Message,
  MessageCounters,
  Problem,
  ProjectStatus,
  Proof,
  Question,
  QueueStatus,
  Report,
  Run,
  RunOutcome,
  RunState,
  Setting,
  Subscription,
  Task,
  TaskCounts,
  TaskDetail,
  TaskSource,
  TaskStatus,
  Usage,
  Worker,
  WorkerHeartbeat,
  LoopNote,
  WorkflowVersion,
};

const about = `Drover's API. Every route but /health needs the token of auth.json in Drover's home, as \`Authorization: Bearer TOKEN\`.
Errors are RFC 9457 problems. Lists come in pages: give \`next\` back as \`after\`. Times are epoch milliseconds, durations milliseconds,
costs millionths of a US dollar. A task is named by its id or its key (\`api#42\`, in a path \`api%2342\`), a project by its id or name.
Streams are server-sent events; each has an id, and \`Last-Event-ID\` resumes behind it.`;

/** This API as an OpenAPI 3.1 document, made of the route table and of the schemas that check each request. */
export function openApiDocument(version: string): OpenApiDocument {
  const { components, responseOf } = convertAnswers();
  const paths: Record<string, Record<string, Operation>> = {};
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(name, route, responseOf(name));
  }
  return {
    openapi: "3.1.0",
    info: { title: "Drover", version, description: about },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      responses: {
        Problem: {
          description: "What went wrong",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
}

/** The answers' schemas are converted together, so that a noun in one becomes a reference to the noun. */
function convertAnswers() {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(nouns)) registry.add(schema, { id });
  for (const [name, route] of Object.entries(routes))
    if (!registry.has(route.response)) registry.add(route.response, { id: answerId(name) });
  const schemas: Record<string, Json> = {};
  for (const [id, schema] of Object.entries(z.toJSONSchema(registry, { uri: reference, override: leaveOpen }).schemas))
    schemas[id] = bare(schema);
  const nounIds = new Map<unknown, string>(Object.entries(nouns).map(([id, schema]) => [schema, id]));
  const responseOf = (name: RouteName): Json => {
    const noun = nounIds.get(routes[name].response);
    return noun === undefined ? (schemas[answerId(name)] ?? {}) : { $ref: reference(noun) };
  };
  return { components: Object.fromEntries(Object.entries(schemas).filter(([id]) => id in nouns)), responseOf };
}

function operation(name: RouteName, route: Route, response: Json): Operation {
  return {
    operationId: name,
    summary: route.summary,
    tags: [route.path.split("/")[2] ?? "service"],
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(route.body && { requestBody: requestBody(name, route.body) }),
    responses: {
      [route.status]: {
        description: route.answers === "stream" ? "Server-sent events; `data` of each is as the schema says" : "Done",
        content: { [mediaTypes[route.answers]]: { schema: response, ...example(name, route) } },
      },
      default: { $ref: "#/components/responses/Problem" },
    },
    ...(route.auth !== "token" && { security: [] as const }),
  };
}

const mediaTypes = { json: "application/json", stream: "text/event-stream", text: "text/plain", html: "text/html" } as const;

function example(name: RouteName, route: Route): Json {
  return route.answers === "html" ? {} : { example: examples[name].response };
}

function requestBody(name: RouteName, body: z.ZodType): NonNullable<Operation["requestBody"]> {
  const required = !body.safeParse({}).success;
  return { required, content: { "application/json": { schema: inputSchema(body), example: examples[name].body } } };
}

function pathParameters(route: Route): Parameter[] {
  const typed = propertiesOf(route.params);
  return [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: typed[name] ?? { type: "string" },
  }));
}

function queryParameters(route: Route): Parameter[] {
  return Object.entries(propertiesOf(route.query)).map(([name, { description: text, ...schema }]) => ({
    name,
    in: "query",
    required: false,
    ...(typeof text === "string" && { description: text }),
    schema,
  }));
}

function headerParameters(route: Route): Parameter[] {
  if (route.answers === "stream") return [header("Last-Event-ID", false, "id of the last event that arrived: go on behind it")];
  if (route.auth === "signature")
    return [header("X-Hub-Signature-256", true, "`sha256=` and the HMAC of the body with the webhook's secret")];
  if (route.auth === "run") return [header("Authorization", true, "`Bearer` and the token of this run, which its agent was given")];
  return [];
}

function header(name: string, required: boolean, description: string): Parameter {
  return { name, in: "header", required, description, schema: { type: "string" } };
}

function propertiesOf(schema: z.ZodType | undefined): Record<string, Json> {
  return schema ? (inputSchema(schema)["properties"] as Record<string, Json>) : {};
}

function inputSchema(schema: z.ZodType): Json {
  return bare(z.toJSONSchema(schema, { io: "input" }));
}

/** Answers gain fields in later versions; a client that refused new ones would break then. */
function leaveOpen({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema["additionalProperties"] === false) delete jsonSchema["additionalProperties"];
}

/** Without what only a schema in a file of its own needs. */
function bare({ $schema: _schema, $id: _id, ...rest }: Json): Json {
  return rest;
}

function reference(id: string): string {
  return `#/components/schemas/${id}`;
}

function answerId(name: string): string {
  return `${name}Answer`;
}
