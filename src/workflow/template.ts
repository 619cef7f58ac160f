import Handlebars from "handlebars";
import { AppError, messageOf } from "../base/errors.ts";

/** Partials that the renderer itself brings: no file can stand in for one. */
export const ownPartials: readonly string[] = ["request"];

/** Names by which a template could reach beyond its data. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
  "__defineGetter__",
  "__lookupGetter__",
  "__defineSetter__",
  "__lookupSetter__",
]);
const DATA_VARIABLES: ReadonlySet<string> = new Set(["root", "index", "key", "first", "last"]);
const SIZE_MAX = 200_000;

/**
 * Throws `invalid`, saying where, for a template that is no template or that tries to reach beyond its data: prototypes,
 * decorators other than `inline`, partials whose name is computed.
 */
export function checkTemplate(place: string, text: string): void {
  if (text.length > SIZE_MAX) throw new AppError("invalid", `${place}: this template is longer than ${SIZE_MAX} characters.`);
  const checker = new Checker(place);
  checker.accept(parse(place, text));
}

/** The names of the partials that a template includes directly, each once. */
export function partialsOf(text: string): string[] {
  const collector = new PartialCollector();
  collector.accept(parse("template", text));
  return [...collector.names].filter((name) => !collector.inline.has(name));
}

/** The one parser: it takes a string and nothing else, for a ready-made syntax tree could hold code (CVE-2026-33937). */
function parse(place: string, text: string): hbs.AST.Program {
  try {
    return Handlebars.parse(text);
  } catch (thrown) {
    throw new AppError("invalid", `${place}: this is no template. ${messageOf(thrown)}`, { cause: thrown });
  }
}

class Checker extends Handlebars.Visitor {
  readonly #place: string;

  constructor(place: string) {
    super();
    this.#place = place;
  }

  override PathExpression(path: hbs.AST.PathExpression): void {
    const parts = path.parts as readonly string[];
    const forbidden = parts.find((part) => FORBIDDEN.has(part));
    if (forbidden !== undefined) this.#refuse(path, `${forbidden} is out of a template's reach`);
    if (path.data && !DATA_VARIABLES.has(parts[0] ?? "")) this.#refuse(path, `@${parts[0] ?? ""} is not a variable of templates`);
  }

  override PartialStatement(partial: hbs.AST.PartialStatement): void {
    this.#refuseComputed(partial);
    super.PartialStatement(partial);
  }

  override PartialBlockStatement(partial: hbs.AST.PartialBlockStatement): void {
    this.#refuseComputed(partial);
    super.PartialBlockStatement(partial);
  }

  override Decorator(decorator: hbs.AST.Decorator): void {
    this.#refuse(decorator, "decorators are not allowed");
  }

  override DecoratorBlock(decorator: hbs.AST.DecoratorBlock): void {
    if (nameOf(decorator.path) !== "inline") this.#refuse(decorator, "decorators other than inline are not allowed");
    super.DecoratorBlock(decorator);
  }

  #refuseComputed(partial: { readonly name: hbs.AST.Node; readonly loc: hbs.AST.SourceLocation }): void {
    if (partial.name.type !== "PathExpression") this.#refuse(partial, "the name of a partial can't be computed");
  }

  #refuse({ loc }: { readonly loc: hbs.AST.SourceLocation }, why: string): never {
    throw new AppError("invalid", `${this.#place}:${loc.start.line}:${loc.start.column + 1}: ${why}.`);
  }
}

class PartialCollector extends Handlebars.Visitor {
  readonly names = new Set<string>();
  /** Those that the template defines itself. */
  readonly inline = new Set<string>(["@partial-block"]);

  override PartialStatement(partial: hbs.AST.PartialStatement): void {
    this.names.add(nameOf(partial.name));
    super.PartialStatement(partial);
  }

  override PartialBlockStatement(partial: hbs.AST.PartialBlockStatement): void {
    this.names.add(nameOf(partial.name));
    super.PartialBlockStatement(partial);
  }

  override DecoratorBlock(decorator: hbs.AST.DecoratorBlock): void {
    const [name] = decorator.params;
    if (name?.type === "StringLiteral") this.inline.add((name as hbs.AST.StringLiteral).value);
    super.DecoratorBlock(decorator);
  }
}

function nameOf(node: hbs.AST.Node): string {
  return node.type === "PathExpression" ? (node as hbs.AST.PathExpression).original : "";
}
