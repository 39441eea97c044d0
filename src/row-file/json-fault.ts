/** Both 1-based; columns count characters. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * Where a text stops being valid JSON: the first character that can't be there, or the text's end.
 * Undefined for valid JSON.
 */
export function jsonFault(text: string): TextPlace | undefined {
  if (whereInvalid(text) === undefined) return undefined;
  // A binary search works because, if a text can begin valid JSON, so can each of its prefixes.
  let [sound, broken] = [0, text.length + 1];
  while (broken - sound > 1) {
    const middle = Math.floor((sound + broken) / 2);
    if (whereInvalid(text.slice(0, middle)) !== "here") sound = middle;
    else broken = middle;
  }
  const lines = text.slice(0, sound).split("\n");
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}

/**
 * Whether invalid JSON contains an error (`here`) or could become valid with more text (`later`);
 * undefined for valid JSON.
 */
function whereInvalid(text: string): "later" | "here" | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    // V8 reports a premature end in these words, or gives the end as the position.
    const { message } = error as Error;
    const position = Number(/ at position (\d+)/.exec(message)?.[1]);
    return message.startsWith("Unexpected end") || position >= text.length ? "later" : "here";
  }
}
