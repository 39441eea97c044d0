import { html } from "../html.ts";
import { plain } from "./one-line.ts";

/** A piece of a text; marked if it is evidence. */
interface Piece {
  text: string;
  kinds: readonly string[];
}

/** Words that are evidence, by what they are evidence for: `sentiment` or `category`. */
export type Evidence = Readonly<Record<string, readonly string[]>>;

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/**
 * Where these words occur in a text, as whole words. Upper and lower case count as the same, and so
 * do one blank and several.
 */
function rangesOf(text: string, words: readonly string[]): [start: number, end: number][] {
  const patterns = words
    .filter((word) => word.trim() !== "")
    .map((word) => escape(word.trim()).replaceAll(/\s+/g, String.raw`\s+`));
  if (patterns.length === 0) return [];
  const pattern = new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${patterns.join("|")})(?![\p{L}\p{N}])`, "giu");
  return [...text.matchAll(pattern)].map(({ index, 0: found }) => [index, index + found.length]);
}

/** Cuts a text where evidence begins and ends. */
function pieces(text: string, evidence: Evidence): Piece[] {
  const ranges = Object.entries(evidence).flatMap(([kind, words]) =>
    rangesOf(text, words).map(([start, end]) => ({ kind, start, end })),
  );
  const cuts = [...new Set([0, text.length, ...ranges.flatMap(({ start, end }) => [start, end])])].toSorted(
    (a, b) => a - b,
  );
  return cuts.slice(1).map((end, index) => {
    const start = cuts[index]!;
    const kinds = ranges.filter((range) => range.start <= start && range.end >= end).map(({ kind }) => kind);
    return { text: text.slice(start, end), kinds: [...new Set(kinds)] };
  });
}

/** A customer's words, with evidence marked. Control characters are replaced as by `plain`. */
export const MarkedText = ({ text, evidence }: { text: string; evidence: Evidence }) => html`
  <p class="customer-text" dir="auto">
    ${pieces(text, evidence).map(({ text: part, kinds }, index) =>
      kinds.length === 0
        ? plain(part)
        : html`<mark
            key=${index}
            class=${kinds.map((kind) => `${kind}-mark`).join(" ")}
            title=${`Evidence: ${kinds.join(", ")}`}
            >${plain(part)}</mark
          >`,
    )}
  </p>
`;

/** What the marks in a text mean; nothing if there are none. */
export function Legend({ text, evidence }: { text: string; evidence: Evidence }) {
  const kinds = Object.keys(evidence).filter((kind) => rangesOf(text, evidence[kind]!).length > 0);
  if (kinds.length === 0) return null;
  return html`<p class="legend muted">
    ${kinds.map((kind) => html`<mark key=${kind} class=${`${kind}-mark`}>${kind}</mark>`)}
  </p>`;
}
