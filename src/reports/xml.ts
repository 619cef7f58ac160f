import { AppError } from "../base/errors.ts";

/** An element of an XML document, with the text that is directly in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

const DEPTH_MAX = 50;
const ELEMENTS_MAX = 500_000;
const TOKEN =
  /<!--[^]*?-->|<!\[CDATA\[([^]*?)\]\]>|<\?[^]*?\?>|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/**
 * Reads the XML that test runners write: elements, attributes, text and CDATA. It comes from a program that an agent may have
 * written: there are no document types, no entities but the five of XML and characters by number, and a limit on depth and
 * size. Throws `invalid` for whatever else it meets.
 */
export function parseXml(text: string): XmlElement {
  const root: OpenElement = { name: "", attributes: {}, children: [], text: "" };
  const open: OpenElement[] = [root];
  let elements = 0;
  TOKEN.lastIndex = text.startsWith("\uFEFF") ? 1 : 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    if (token === null) throw broken(`at character ${at}`);
    const [, cdata, closed, opened, attributes = "", selfClosed, content] = token;
    const parent = open.at(-1) ?? root;
    if (cdata !== undefined) parent.text += cdata;
    else if (content !== undefined) parent.text += decode(content);
    else if (closed !== undefined) {
      if (open.length === 1 || parent.name !== closed) throw broken(`</${closed}> closes nothing`);
      open.pop();
    } else if (opened !== undefined) {
      if (open.length > DEPTH_MAX || ++elements > ELEMENTS_MAX) throw broken("it is too deep or too long");
      const element: OpenElement = { name: opened, attributes: attributesOf(attributes), children: [], text: "" };
      parent.children.push(element);
      if (selfClosed === "") open.push(element);
    }
  }
  const [top, ...others] = root.children;
  if (open.length > 1 || top === undefined || others.length > 0) throw broken("it has no end");
  return top;
}

/** All elements of this name, at whatever depth, in order. */
export function elementsOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.flatMap((child) => (child.name === name ? [child] : elementsOf(child, name)));
}

function attributesOf(text: string): Record<string, string> {
  const entries = [...text.matchAll(ATTRIBUTE)].map(([, name = "", double, single]) => [name, decode(double ?? single ?? "")] as const);
  return Object.fromEntries(entries);
}

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/giu,
    (_, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (hex === undefined && decimal === undefined) {
        const character = NAMED[name ?? ""];
        if (character === undefined) throw broken(`the entity &${name ?? ""}; is not known`);
        return character;
      }
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : "\uFFFD";
    },
  );
}

function broken(how: string): AppError {
  return new AppError("invalid", `A test report is no XML that can be read: ${how}.`);
}
