import { diffWordsWithSpace } from "diff/lib/diff/word.js";
import { html } from "../html.ts";
import { plain } from "./one-line.ts";

/** Beyond it the comparison could keep the page from answering. Characters. */
const COMPARED = 20_000;

/** What was taken out and what was put in, word by word. */
export function WordDiff({ before, after }: { before: string; after: string }) {
  if (before === after) return html`<p class="muted">Nothing is changed.</p>`;
  const parts =
    before.length + after.length > 2 * COMPARED ? undefined : diffWordsWithSpace(before, after, { timeout: 500 });
  if (!parts) return html`<p class="muted">The texts are too different for a word-by-word comparison.</p>`;
  return html`
    <p class="diff" dir="auto">
      ${parts.map(({ value, added, removed }, index) => {
        const text = plain(value);
        if (added) return html`<ins key=${index}>${text}</ins>`;
        return removed ? html`<del key=${index}>${text}</del>` : text;
      })}
    </p>
  `;
}
