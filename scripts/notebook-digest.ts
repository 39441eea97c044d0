// The outputs of a notebook's code cells, and a digest that shows whether they belong to the cells.
import { createHash } from "node:crypto";

interface Cell {
  cell_type: string;
  source: readonly string[];
  outputs?: readonly unknown[];
}

const codeOf = ({ cells }: { cells: readonly Cell[] }): Cell[] => cells.filter(({ cell_type }) => cell_type === "code");

export const outputsOf = (notebook: { cells: readonly Cell[] }): unknown[] =>
  codeOf(notebook).map(({ outputs }) => outputs);

/**
 * The digest of the code cells' sources and outputs. If any of them was changed without a run, the
 * digest differs from the stored one.
 */
export const digestOf = (notebook: { cells: readonly Cell[] }): string =>
  createHash("sha256")
    .update(JSON.stringify(codeOf(notebook).map(({ source, outputs }) => [source, outputs])))
    .digest("hex");
