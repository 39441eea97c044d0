/**
 * A column's name in lower case, with letters and digits only: `Lifetime Value (€)` and
 * `lifetimeValue` both become `lifetimevalue`.
 */
export const normalizedName = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");

/** A longer name is not a misspelt field, and comparing it would take long. */
const MAX_LENGTH = 60;

/**
 * The field that a column's name probably means, despite a typo or extra words; undefined if there
 * is none.
 */
export function similarField<Field extends string>(column: string, fields: readonly Field[]): Field | undefined {
  const name = normalizedName(column);
  if (name === "" || name.length > MAX_LENGTH) return undefined;
  return fields.find((field) => isSimilar(name, normalizedName(field)));
}

function isSimilar(name: string, field: string): boolean {
  if (field.length < 4) return false;
  return name.includes(field) || editDistance(name, field) <= (field.length < 8 ? 1 : 2);
}

/**
 * The number of insertions, deletions, replacements and swaps of neighbours that turn one text into
 * the other (optimal string alignment).
 */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const isSame = left[i - 1] === right[j - 1];
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const replaced = at(last, j - 1) + (isSame ? 0 : 1);
      const swapped = isSwap ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced, swapped));
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, right.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
