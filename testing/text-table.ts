/** Columns of a table by their titles, each with what it shows of a row. */
export type Columns<Row> = readonly (readonly [title: string, cell: (row: Row) => string | number])[];

/** The lines of a table: the first column to the left, the others to the right. */
export function tableLines<Row>(columns: Columns<Row>, all: readonly Row[]): string[] {
  const rows = [columns.map(([title]) => title), ...all.map((one) => columns.map(([, cell]) => String(cell(one))))];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
  return rows.map((row) => line(row).trimEnd());
}
