/**
 * Control characters as JSON writes them, but tab, line feed and carriage return, and what turns the direction of the text around
 * it. A backslash that JSON has written as two is no beginning of such a one, so it is found first, and stays.
 */
const CONTROLS = /\\\\|\\u00(?:0[0-8bcef]|1[0-9a-f])|[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/giu;

/** JSON without what people and agents may have put into their texts to make them look like others. Markup needs nothing: it is shown as text. */
export function cleanJson(json: string): string {
  return json.replace(CONTROLS, (found) => (found === "\\\\" ? found : ""));
}
