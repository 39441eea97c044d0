/**
 * A model's words: paragraphs, lists, headings, bold and code, in the Markdown that models use.
 * Everything else stays text: no link or image is ever created, because a stranger's text may have
 * come through the model.
 */
import type { VNode } from "preact";
import { html } from "../html.ts";
import { plain } from "../ui/one-line.ts";

const FENCE = /^\s*(?:```|~~~)/;
const BULLET = /^\s{0,8}[-*•]\s+/;
const NUMBER = /^\s{0,8}(\d{1,3})[.)]\s+/;
const HEADING = /^\s{0,3}#{1,6}\s+/;

export function RichText({ text }: { text: string }) {
  return html`<div class="rich" dir="auto">${blocksOf(plain(text).split("\n"))}</div>`;
}

function blocksOf(lines: readonly string[]): VNode[] {
  const blocks: VNode[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at]!;
    if (line.trim() === "") {
      at += 1;
    } else if (FENCE.test(line)) {
      const end = lines.findIndex((other, index) => index > at && FENCE.test(other));
      const last = end < 0 ? lines.length : end;
      blocks.push(html`<pre class="rich-code" tabindex="0">${lines.slice(at + 1, last).join("\n")}</pre>`);
      at = last + 1;
    } else {
      const kind = [BULLET, NUMBER, HEADING].find((pattern) => pattern.test(line));
      const end = kind === HEADING ? at + 1 : endOf(lines, at, kind);
      blocks.push(block(kind, lines.slice(at, end)));
      at = end;
    }
  }
  return blocks;
}

/** The index after a block of lines of the same kind. */
function endOf(lines: readonly string[], start: number, kind: RegExp | undefined): number {
  const isSame = (line: string): boolean =>
    kind ? kind.test(line) : line.trim() !== "" && ![BULLET, NUMBER, HEADING, FENCE].some((one) => one.test(line));
  const end = lines.findIndex((line, index) => index > start && !isSame(line));
  return end < 0 ? lines.length : end;
}

function block(kind: RegExp | undefined, lines: readonly string[]): VNode {
  if (kind === HEADING) return html`<p class="rich-heading">${inline(lines[0]!.replace(HEADING, ""))}</p>`;
  if (kind === BULLET)
    return html`<ul>
      ${lines.map((line, index) => html`<li key=${index}>${inline(line.replace(BULLET, ""))}</li>`)}
    </ul>`;
  if (kind === NUMBER) {
    const first = Number(NUMBER.exec(lines[0]!)?.[1]);
    return html`<ol start=${first}>
      ${lines.map((line, index) => html`<li key=${index}>${inline(line.replace(NUMBER, ""))}</li>`)}
    </ol>`;
  }
  return html`<p>${inline(lines.join("\n"))}</p>`;
}

/** Bold and code; a mark without its counterpart is a character like any other. */
function inline(text: string): (VNode | string)[] {
  return text.split(/(\*\*[^*\n]{1,2000}\*\*|`[^`\n]{1,2000}`)/).map((part, index) => {
    if (index % 2 === 0) return part;
    return part.startsWith("`")
      ? html`<code key=${index}>${part.slice(1, -1)}</code>`
      : html`<b key=${index}>${part.slice(2, -2)}</b>`;
  });
}
