/**
 * Converts a mail's HTML to text. Senders choose the HTML, so HTML that would take long is not
 * converted.
 */
import type * as HtmlToText from "html-to-text";
import { requirePackage } from "../../runtime/require-package.ts";

/** Opening and closing ones; newsletters have some thousands. The parser's time grows with the square of the tags that are open. */
const MAX_TAGS = 40_000;

/** Twice as deep as long conversations are. The converter calls itself for each level. */
const MAX_DEPTH = 200;

/** Of lines times the square of levels: each level of a quotation or list makes each of its lines longer, and copies it. */
const MAX_INDENTATION = 200_000_000;

/** Marks where the converter has left something out. It occurs in no HTML that is converted. */
const LEFT_OUT = "\0";

const countOf = (html: string, pattern: RegExp): number => {
  let count = 0;
  for (const _ of html.matchAll(pattern)) count += 1;
  return count;
};

function isModest(html: string): boolean {
  const tags = countOf(html, /<[a-z/!?]/gi);
  if (tags > MAX_TAGS) return false;
  const levels = Math.min(MAX_DEPTH, countOf(html, /<(?:blockquote|ul|ol)/gi));
  const lines = tags + countOf(html, /[\n\r&]/g);
  return levels ** 2 * lines <= MAX_INDENTATION;
}

let convert: ReturnType<typeof HtmlToText.compile> | undefined;

/**
 * Quoted mail keeps its marks. Links and pictures are dropped, because they say nothing about what
 * the customer wrote.
 * @returns undefined where it has too many tags, or too many within each other
 */
export function htmlToText(html: string): string | undefined {
  const clean = html.replaceAll(LEFT_OUT, "");
  if (!isModest(clean)) return undefined;
  convert ??= (requirePackage("html-to-text") as typeof HtmlToText).compile({
    wordwrap: false,
    limits: { maxDepth: MAX_DEPTH, ellipsis: LEFT_OUT },
    selectors: [
      { selector: "a", options: { ignoreHref: true } },
      { selector: "img", format: "skip" },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  });
  const text = convert(clean);
  return text.includes(LEFT_OUT) ? undefined : text;
}
