import type { Token } from "./tokenizer.ts";

const MAX_QUOTES = 12;

/**
 * The pieces of the text at the given spans of tokens, each once, the first twelve. Contractions
 * stay whole: "isn't good".
 */
export function quote(
  text: string,
  tokens: readonly Token[],
  spans: readonly { from: number; to: number }[],
): string[] {
  const quotes = new Set<string>();
  for (const { from, to } of spans) {
    if (quotes.size >= MAX_QUOTES) break;
    const before = tokens[from - 1];
    const first = before?.kind === "word" && before.end === tokens[from]?.start ? before : tokens[from];
    quotes.add(text.slice(first?.start, tokens[to - 1]?.end));
  }
  return [...quotes];
}
