/** One block of a server-sent stream. `data` is empty where the block carries only an id or a comment. */
export interface Block {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** The blocks of an answer, as they come; a last one without its empty line is incomplete and left out. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export async function* readBlocks(response: Response): AsyncGenerator<Block> {
  if (!response.body) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body) {
    const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) yield parseBlock(block);
  }
}

function parseBlock(text: string): Block {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ""));
  }
  return { id: fields.get("id"), event: fields.get("event"), data: fields.get("data") ?? "" };
}
