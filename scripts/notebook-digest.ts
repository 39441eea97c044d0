// The outputs of a notebook's cells, and a digest that shows whether the outputs belong to the
// cells.
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
 * The digest of the cells' sources and outputs together, so that neither can be changed without a
 * run.
 */
export const digestOf = (notebook: { cells: readonly Cell[] }): string =>
  createHash("sha256")
    .update(JSON.stringify(codeOf(notebook).map(({ source, outputs }) => [source, outputs])))
    .digest("hex");
