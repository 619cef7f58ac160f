import { expect, test } from "vitest";
import { configJsonSchema, describeAllowed, keyOf, schemaAt, type SchemaNode, settingSchemas } from "./schema.ts";
import { nearest } from "./suggestion.ts";

test("every setting has a description and a default that its own schema allows", () => {
  for (const { key, node } of settingSchemas) {
    expect([key, node.description]).toEqual([key, expect.stringMatching(/\S/)]);
    expect([key, "default" in node]).toEqual([key, true]);
  }
});

test("a path leads to a setting's schema, through what people name themselves, and nowhere else", () => {
  expect(schemaAt(["daemon", "port"])?.maximum).toBe(65_535);
  expect(schemaAt(["agents", "any", "model"])?.description).toContain("model name");
  expect(schemaAt(["checks", 3, "command"])?.description).toContain("sh -c");
  expect(
    [["daemon", "prot"], ["toString"], ["daemon", "constructor"], ["checks", "command"], ["daemon", "port", "x"]].map(schemaAt),
  ).toEqual(Array.from({ length: 5 }, () => undefined));
  expect(keyOf(["checks", 3, "command"])).toBe("checks[3].command");
});

test("what is allowed is said in words", () => {
  const nodes: SchemaNode[] = [
    { type: "integer", minimum: 1, maximum: 9 },
    { type: "number", minimum: 1 },
    { type: "integer", maximum: 9 },
    { type: "boolean" },
    { type: "string", minLength: 1, maxLength: 5 },
    { anyOf: [{ type: "string", enum: ["a", "b"] }, { type: "null" }] },
    { type: "array", minItems: 1, items: { type: "string", format: "uri" } },
  ];
  expect(nodes.map(describeAllowed)).toEqual([
    "a whole number from 1 to 9",
    "a number from 1",
    "a whole number up to 9",
    "true or false",
    "text of 1 to 5 characters",
    "one of a, b or null",
    "a list of at least 1, each a URL",
  ]);
});

test("the JSON Schema for editors is draft 2020-12, refuses unknown settings and has no words of our own", () => {
  const json = configJsonSchema() as { $schema: string; additionalProperties: boolean; properties: Record<string, SchemaNode> };
  expect([json.$schema, json.additionalProperties]).toEqual(["https://json-schema.org/draft/2020-12/schema", false]);
  expect(Object.keys(json.properties)).toEqual(["version", ...new Set(settingSchemas.map(({ path }) => path[0]))]);
  expect(json.properties["daemon"]?.properties?.["maxProcesses"]).toEqual({
    type: "integer",
    minimum: 1,
    maximum: 1000,
    default: 2,
    description: "agent processes at once, over all projects; runs that share a program count against `builtin.maxRunning` instead",
  });
  expect(JSON.stringify(json)).not.toMatch(/"(scope|tighten|needsRestart)"/);
});

test("the nearest known names come first, and none when none is near", () => {
  const known = ["daemon.port", "daemon.host", "daemon.maxProcesses", "defaults.maxProcesses", "logging.level"];
  expect(nearest("daemon.prot", known)).toEqual(["daemon.port"]);
  expect(nearest("MAXPROCESSES", known)).toEqual(["daemon.maxProcesses", "defaults.maxProcesses"]);
  expect(nearest("daemon.maxProcess", known)).toEqual(["daemon.maxProcesses", "defaults.maxProcesses"]);
  expect(nearest("banana", known)).toEqual([]);
});
