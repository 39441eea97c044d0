/** A text for a cell of a table, with what Markdown would misread escaped. */
export const cell = (text: string): string =>
  text
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", String.raw`\|`)
    // Outside code, Markdown would take <folder> for a tag.
    .replaceAll(/`[^`]*`|</g, (part) => (part === "<" ? String.raw`\<` : part));

export const code = (text: string): string => `\`${text}\``;

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

export const block = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

/** A page of the reference: paragraphs and other parts, empty ones left out. */
export const page = (title: string, ...parts: readonly (string | undefined)[]): string =>
  `${[`# ${title}`, NOTE, ...parts].filter((part) => part !== undefined && part !== "").join("\n\n")}\n`;

const NOTE = "<!-- Written by `npm run docs:reference`. Change the definitions in the source instead. -->";
