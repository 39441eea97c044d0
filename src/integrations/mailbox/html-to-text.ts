/**
 * Converts an email's HTML to text. Senders choose the HTML, so HTML that would take long is not
 * converted.
 */
import type * as HtmlToText from "html-to-text";
import { requirePackage } from "../../runtime/require-package.ts";

/**
 * Opening and closing tags together; newsletters have a few thousand. The parser takes quadratic
 * time in the number of open tags.
 */
const MAX_TAGS = 40_000;

/** Twice the depth of long conversations. The converter is recursive. */
const MAX_DEPTH = 200;

/**
 * Limits lines times levels squared: each level of a quotation or list copies and indents each of
 * its lines.
 */
const MAX_INDENTATION = 200_000_000;

/** Marks places where the converter has left something out. Its input never contains this mark. */
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
 * Converts HTML to text. Quoted mail gets `>` in front of its lines. The URLs of links and all
 * pictures are left out, because they say nothing about what the customer wrote.
 * @returns undefined if the HTML has too many tags, nests them too deeply, or has too many lines in
 *   nested quotations or lists
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
