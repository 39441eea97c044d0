/** A column's name without case and everything but letters and digits: `Lifetime Value (€)`, `lifetimeValue`. */
export const normalizedName = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");

/** Longer names are no misspelt field, and comparing them takes time. */
const MAX_LENGTH = 60;

/** The field whose name a column's has, but for a slip of the pen or words around it; undefined where there is none. */
export function similarField<Field extends string>(column: string, fields: readonly Field[]): Field | undefined {
  const name = normalizedName(column);
  if (name === "" || name.length > MAX_LENGTH) return undefined;
  return fields.find((field) => isSimilar(name, normalizedName(field)));
}

function isSimilar(name: string, field: string): boolean {
  if (field.length < 4) return false;
  return name.includes(field) || editDistance(name, field) <= (field.length < 8 ? 1 : 2);
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other (optimal string alignment). */
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
