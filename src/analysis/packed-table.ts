/**
 * Lines of key and value, grouped by the first two characters of the keys. Tens of thousands of
 * entries load quickly because they stay text, and a look-up searches only a few lines.
 */
export type PackedTable = Record<string, string>;

const PREFIX = 2;

/** @param entries with no tabs or line breaks in keys or values */
export function pack(entries: Iterable<readonly [key: string, value: string]>): PackedTable {
  const sections = new Map<string, string[]>();
  for (const [key, value] of entries) {
    const section = key.slice(0, PREFIX);
    const line = `${key.slice(PREFIX)}\t${value}`;
    const lines = sections.get(section);
    if (lines === undefined) sections.set(section, [line]);
    else lines.push(line);
  }
  return Object.fromEntries(
    [...sections]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([section, lines]) => [section, `\n${lines.toSorted().join("\n")}\n`]),
  );
}

/** The value of a key; undefined if the table lacks it. */
export function lookUp(table: PackedTable, key: string): string | undefined {
  const section = key.slice(0, PREFIX);
  const lines = Object.hasOwn(table, section) ? (table[section] ?? "") : "";
  const rest = key.slice(PREFIX);
  const line = lines.indexOf(`\n${rest}\t`);
  if (line < 0) return undefined;
  const begin = line + rest.length + 2;
  return lines.slice(begin, lines.indexOf("\n", begin));
}
