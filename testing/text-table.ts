/** Columns of a table: each has a title and a function that returns the cell of a row. */
export type Columns<Row> = readonly (readonly [title: string, cell: (row: Row) => string | number])[];

/** The lines of a table: the first column is left-aligned, the others are right-aligned. */
export function tableLines<Row>(columns: Columns<Row>, all: readonly Row[]): string[] {
  const rows = [columns.map(([title]) => title), ...all.map((one) => columns.map(([, cell]) => String(cell(one))))];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
  return rows.map((row) => line(row).trimEnd());
}
