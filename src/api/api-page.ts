import { createHash } from "node:crypto";
import type { OpenApiDocument, Operation, Parameter } from "./openapi.ts";

type Block =
  | { readonly kind: "heading"; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "table"; readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "code"; readonly text: string };

/** The document as `docs/api.md`. */
export function renderMarkdown(document: OpenApiDocument): string {
  return `${blocksOf(document).map(markdown).join("\n\n")}\n`;
}

/** The document as a page that needs nothing from anywhere: no script, no font, no image. */
export function renderHtml(document: OpenApiDocument): string {
  const body = blocksOf(document).map(html).join("\n");
  return `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Drover API</title><style>${style}</style></head>\n<body>\n${body}\n</body>\n</html>\n`;
}

const style =
  "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{background:#f4f4f4;padding:1rem;overflow:auto}td,th{text-align:left;padding:.2rem 1rem .2rem 0}";

/** Lets the page have its own style and nothing else. */
export const pageSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; frame-ancestors 'none'`;

function blocksOf(document: OpenApiDocument): Block[] {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0]))];
  return [
    { kind: "heading", level: 1, text: "Drover API" },
    { kind: "text", text: document.info.description },
    ...tags.flatMap((tag): Block[] => [
      { kind: "heading", level: 2, text: tag },
      ...operations
        .filter(({ operation }) => operation.tags[0] === tag)
        .flatMap(({ path, method, operation }) => operationBlocks(path, method, operation)),
    ]),
  ];
}

function operationBlocks(path: string, method: string, operation: Operation): Block[] {
  const [status, answer] = Object.entries(operation.responses)[0] ?? ["200", {}];
  const access = operation.security === undefined ? "" : " Needs no token.";
  return [
    { kind: "heading", level: 3, text: `${method.toUpperCase()} ${path}` },
    { kind: "text", text: `${operation.summary}.${access}` },
    ...parameterBlocks(operation.parameters),
    ...exampleBlocks("Request", operation.requestBody?.content),
    ...exampleBlocks(`Answer ${status}`, answer["content"] as Content | undefined),
  ];
}

function parameterBlocks(parameters: readonly Parameter[]): Block[] {
  if (parameters.length === 0) return [];
  return [
    {
      kind: "table",
      header: ["parameter", "in", "type", "meaning"],
      rows: parameters.map((one) => [one.name, one.in, typeOf(one), one.description ?? ""]),
    },
  ];
}

function typeOf({ schema }: Parameter): string {
  const values = schema["enum"];
  const type = Array.isArray(values) ? values.join(", ") : String(schema["type"]);
  return schema["default"] === undefined ? type : `${type}, default ${JSON.stringify(schema["default"])}`;
}

type Content = Readonly<Record<string, { example?: unknown }>>;

function exampleBlocks(title: string, content: Content | undefined): Block[] {
  const [type, shown] = Object.entries(content ?? {})[0] ?? [];
  if (type === undefined) return [];
  const text = typeof shown?.example === "string" ? shown.example : JSON.stringify(shown?.example, null, 2);
  return [
    { kind: "text", text: `${title}, \`${type}\`${text === undefined ? "" : ":"}` },
    ...(text === undefined ? [] : [{ kind: "code" as const, text: text.trimEnd() }]),
  ];
}

function markdown(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `${"#".repeat(block.level)} ${block.text}`;
    case "text":
      return block.text;
    case "table":
      return markdownTable([block.header, ...block.rows]);
    default:
      return `\`\`\`\n${block.text}\n\`\`\``;
  }
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [header, ...others] = rows.map((row) => `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`);
  return [header, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...others].join("\n");
}

function html(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `<h${block.level}>${escape(block.text)}</h${block.level}>`;
    case "text":
      return `<p>${escape(block.text).replace(/`([^`]+)`/g, "<code>$1</code>")}</p>`;
    case "table":
      return `<table><tr>${cells("th", block.header)}</tr>${block.rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("")}</table>`;
    default:
      return `<pre>${escape(block.text)}</pre>`;
  }
}

function cells(tag: "td" | "th", row: readonly string[]): string {
  return row.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
