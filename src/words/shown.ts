import { styleText } from "node:util";
import { safeLine, safeText } from "../base/text.ts";

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** What a template may hold: text from anywhere, which is made safe, or what already is. */
export type Showable = string | number | Shown;

interface Part {
  readonly text: string;
  readonly paint: Paint | undefined;
}

const LINE_MAX = 2000;

/**
 * Text that is safe to write to a terminal. There is no way to make one but through `safeText`, and a Terminal writes
 * nothing else, so no text from outside reaches the screen with its control sequences.
 */
export class Shown {
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** One line, whatever is in the text; a space at its ends stays. */
  static line(text: string, paint?: Paint): Shown {
    const edge = (found: boolean) => (found ? " " : "");
    return new Shown([{ text: `${edge(/^\s+\S/u.test(text))}${safeLine(text, LINE_MAX)}${edge(/\s$/u.test(text))}`, paint }]);
  }

  /** Lines as they are: a patch, an agent's output, a message of ours. */
  static lines(text: string, paint?: Paint): Shown {
    return new Shown([{ text: safeText(text), paint }]);
  }

  /** Several in a row. */
  static join(shown: readonly Shown[], separator = ""): Shown {
    return new Shown(shown.flatMap((one, index) => (index === 0 ? one.#parts : [{ text: separator, paint: undefined }, ...one.#parts])));
  }

  render(hasColor: boolean): string {
    return this.#parts
      .map(({ text, paint }) => (hasColor && paint !== undefined ? styleText(paint, text, { validateStream: false }) : text))
      .join("");
  }
}

/** A line of our own words around values from anywhere: show`Task ${task.key} is ${painted("red", status)}.` */
export function show(words: TemplateStringsArray, ...values: readonly Showable[]): Shown {
  const parts = words.flatMap((word, index) => {
    const value = values[index];
    return value === undefined ? [Shown.lines(word)] : [Shown.lines(word), asShown(value)];
  });
  return Shown.join(parts);
}

export function painted(paint: Paint, value: string | number): Shown {
  return Shown.line(String(value), paint);
}

function asShown(value: Showable): Shown {
  return value instanceof Shown ? value : Shown.line(String(value));
}
