import { diffWordsWithSpace } from "diff/lib/diff/word.js";
import { html } from "../html.ts";
import { plain } from "./one-line.ts";

/** Beyond it the comparison could keep the page from answering. Characters. */
const COMPARED = 20_000;

interface Part {
  value: string;
  added?: boolean;
  removed?: boolean;
}

/** So short that changes on both sides of it read better as one. Characters. */
const GAP = 3;

const isGap = ({ value, added, removed }: Part): boolean =>
  !added && !removed && value.trim().length <= GAP && !value.includes("\n");

/** Changes that follow each other as one text taken out and one put in: word by word nobody could read either. */
function joined(parts: readonly Part[]): Part[] {
  const all: Part[] = [];
  let [before, after] = ["", ""];
  const flush = (): void => {
    if (before) all.push({ value: before, removed: true });
    if (after) all.push({ value: after, added: true });
    [before, after] = ["", ""];
  };
  for (const [index, part] of parts.entries()) {
    const { value, added, removed } = part;
    const isWithin = isGap(part) && (before || after) && index < parts.length - 1;
    if (removed || isWithin) before += value;
    if (added || isWithin) after += value;
    if (added || removed || isWithin) continue;
    flush();
    all.push(part);
  }
  flush();
  return all;
}

/** What was taken out and what was put in, word by word. */
export function WordDiff({ before, after }: { before: string; after: string }) {
  if (before === after) return html`<p class="muted">Nothing is changed.</p>`;
  const parts =
    before.length + after.length > 2 * COMPARED ? undefined : diffWordsWithSpace(before, after, { timeout: 500 });
  if (!parts) return html`<p class="muted">The texts are too different for a word-by-word comparison.</p>`;
  return html`
    <p class="diff" dir="auto">
      ${joined(parts).map(({ value, added, removed }, index) => {
        const text = plain(value);
        if (added) return html`<ins key=${index}>${text}</ins>`;
        return removed ? html`<del key=${index}>${text}</del>` : text;
      })}
    </p>
  `;
}
