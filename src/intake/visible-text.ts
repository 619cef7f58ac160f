/** A text as a reader of the page sees it, and how much was taken out. */
export interface VisibleText {
  readonly text: string;
  readonly hiddenComments: number;
  readonly hiddenCharacters: number;
}

// An HTML comment, closed or to the end as browsers read it, and the Markdown idiom `[//]: # (comment)`.
const COMMENTS = /<!--[\s\S]*?(?:-->|$(?![\s\S]))|^ {0,3}\[[^\]\n]+\]:[ \t]*(?:#|<>)[ \t]*(?:\([^\n]*\)|"[^"\n]*"|'[^'\n]*')[ \t]*$/gm;

// Takes no room on the page, or reorders what stands around it; and control characters.
const INVISIBLE = /(?!\t|\n|\u200c|\u200d|\ufe0e|\ufe0f)[\p{DI}\p{Cc}\p{Zl}\p{Zp}\ufff9-\ufffb]/gu;

// Joiners and variation selectors where neither emoji nor a joined script can need them.
const NEEDLESS =
  /(?<![^\p{ASCII}\p{DI}]\ufe0f?)(?:\u200c|\u200d)|(?:\u200c|\u200d)(?![^\p{ASCII}\p{DI}])|(?<![^\p{DI}\s])(?:\ufe0e|\ufe0f)/gu;

/**
 * Takes out of a Markdown text what people who approve it can't see on the page, so that the agent gets what they read:
 * HTML comments, zero-width and bidirectional characters, Unicode tags, control characters. Comments inside code blocks go
 * too: which text is code is for GitHub's renderer to say, and a wrong guess would let hidden text through.
 */
export function visibleText(source: string): VisibleText {
  let hiddenComments = 0;
  const shown = source.replaceAll("\r\n", "\n").replace(COMMENTS, () => {
    hiddenComments++;
    return "";
  });
  const text = shown.replace(INVISIBLE, "").replace(NEEDLESS, "");
  return { text, hiddenComments, hiddenCharacters: [...shown].length - [...text].length };
}
