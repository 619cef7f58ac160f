import { expect, test } from "vitest";
import { z } from "zod";
import type { OpenApiDocument } from "../../src/api/openapi.ts";
import { examples } from "../../src/api/examples.ts";
import type { Route } from "../../src/contract/route.ts";
import { Problem, routes, type RouteName } from "../../src/contract/routes.ts";
import { everyRoute } from "./each-route.ts";
import { serve } from "./serving.ts";

/** Refuses what the schema does not name, so that an answer cannot say more than its documentation. */
function exactly(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject ? schema.strict() : schema;
}

test.each(everyRoute)("$name answers as its schema says", async ({ name, route, path, body }) => {
  await using served = await serve();
  await served.client.createTask({ body: { project: "api", title: "One" } });
  const response = await served.request(path, { method: route.method, ...(body !== undefined && { body }) });
  if (route.answers === "stream") {
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    await response.body?.cancel();
  } else if (name === "verifyStore" || name === "pollProject") {
    expect(Problem.parse(await response.json()).status).toBe(response.status);
  } else {
    expect(response.status).toBe(route.status);
    exactly(route.response).parse(route.answers === "json" ? await response.json() : await response.text());
  }
});

test("each example of the documentation is valid", () => {
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    expect(exactly(route.response).safeParse(examples[name].response).error).toBeUndefined();
    if (route.body) expect(route.body.safeParse(examples[name].body ?? {}).error).toBeUndefined();
  }
});

test("the OpenAPI document lists every route, with the parameters of its path, and only refers to schemas it has", async () => {
  await using served = await serve();
  const document = (await (await served.request("/openapi.json")).json()) as OpenApiDocument;
  const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), name: operation.operationId })),
  );
  const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);
  const known = (Object.entries(routes) as [RouteName, Route][]).map(([name, { path, method }]) => ({ path, method, name }));
  expect(listed.toSorted(byName)).toEqual(known.toSorted(byName));
  for (const [path, methods] of Object.entries(document.paths))
    for (const operation of Object.values(methods)) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === "path").map((parameter) => parameter.name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  const { schemas } = document["components"] as { schemas: Record<string, unknown> };
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  for (const [, name = ""] of references) expect(Object.keys(schemas)).toContain(name);
});

test("the page of the documentation asks nothing from elsewhere and runs nothing", async () => {
  await using served = await serve();
  const response = await served.request("/docs");
  const page = await response.text();
  expect(page).toContain("<h3>POST /api/tasks/{task}/cancel</h3>");
  expect(page).not.toMatch(/<script|src=|href=|javascript:/);
  expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; frame-ancestors 'none'$/);
});
