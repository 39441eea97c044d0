/** 1-based; columns count characters. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Where a text stops being JSON: at the first character that no JSON has there, or at its end. Undefined for JSON. */
export function jsonFault(text: string): TextPlace | undefined {
  if (endsWhere(text) === undefined) return undefined;
  // What can be the beginning of JSON begins with such.
  let [sound, broken] = [0, text.length + 1];
  while (broken - sound > 1) {
    const middle = Math.floor((sound + broken) / 2);
    if (endsWhere(text.slice(0, middle)) !== "here") sound = middle;
    else broken = middle;
  }
  const lines = text.slice(0, sound).split("\n");
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}

/** Whether a text that is no JSON could become one by something more; undefined for JSON. */
function endsWhere(text: string): "later" | "here" | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    // V8 says so in these words, or names the end as the place.
    const { message } = error as Error;
    const position = Number(/ at position (\d+)/.exec(message)?.[1]);
    return message.startsWith("Unexpected end") || position >= text.length ? "later" : "here";
  }
}
