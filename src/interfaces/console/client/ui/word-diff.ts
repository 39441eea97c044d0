import { diffWordsWithSpace } from "diff/lib/diff/word.js";
import { html } from "../html.ts";
import { plain } from "./one-line.ts";

/** The most characters that two texts together may have. Comparing more could freeze the page. */
const MOST_COMPARED = 40_000;

interface Part {
  value: string;
  added?: boolean;
  removed?: boolean;
}

/**
 * Around an unchanged piece this short, the changes on both sides read better as one. Characters.
 */
const GAP = 3;

const isGap = ({ value, added, removed }: Part): boolean =>
  !added && !removed && value.trim().length <= GAP && !value.includes("\n");

/**
 * Joins adjacent changes into one removed text and one added text, because nobody could read them
 * word by word.
 */
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

/** What was removed and what was added, word by word. */
export function WordDiff({ before, after }: { before: string; after: string }) {
  if (before === after) return html`<p class="muted">No changes yet.</p>`;
  const parts =
    before.length + after.length > MOST_COMPARED ? undefined : diffWordsWithSpace(before, after, { timeout: 500 });
  if (!parts) return html`<p class="muted">The texts are too long or too different to compare word by word.</p>`;
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
