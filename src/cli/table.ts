import Table from "cli-table3";
import { dim, oneLine, outputWidth } from "./output.ts";

export interface Column {
  title: string;
  /** Gives way first where the terminal is too narrow. */
  flexible?: boolean;
}

const GAP = 2;
const NARROWEST = 8;

const NO_LINES = Object.fromEntries(
  [
    ..."top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right".split(" "),
    ..."left left-mid mid mid-mid right right-mid middle".split(" "),
  ].map((name) => [name, ""]),
);

const characters = new Intl.Segmenter();
const WIDE =
  /\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]/u;

const widthOf = (text: string): number =>
  [...characters.segment(text)].reduce((width, { segment }) => width + (WIDE.test(segment) ? 2 : 1), 0);

/** A quiet table: aligned columns under a dim heading, no lines, cut to the width of the terminal. Cells are made harmless. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], paint = noPaint): string {
  const cells = rows.map((row) => row.map(oneLine));
  const natural = columns.map(({ title }, at) =>
    Math.max(widthOf(title), ...cells.map((row) => widthOf(row[at] ?? ""))),
  );
  const widths = fit(natural, columns, outputWidth() - GAP * columns.length);
  const view = new Table({
    chars: NO_LINES,
    colWidths: widths.map((width) => width + GAP),
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
  });
  view.push(columns.map(({ title }) => dim(title)));
  for (const row of cells) view.push(row.map(paint));
  return view
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const noPaint = (text: string): string => text;

/** Takes from the flexible columns, the widest first, until all fit; from the others only when nothing else is left. */
function fit(natural: readonly number[], columns: readonly Column[], available: number): number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, width) => sum + width, 0);
  for (const flexibleOnly of [true, false]) {
    while (total() > available) {
      const candidates = widths
        .map((width, at) => ({ width, at }))
        .filter(({ width, at }) => width > NARROWEST && (!flexibleOnly || columns[at]?.flexible === true));
      if (candidates.length === 0) break;
      const { at } = candidates.reduce((widest, next) => (next.width > widest.width ? next : widest));
      widths[at] = (widths[at] ?? 0) - 1;
    }
  }
  return widths;
}
