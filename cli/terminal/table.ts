import Table from "cli-table3";
import { dim, oneLine, outputWidth } from "./output.ts";

export interface Column {
  title: string;
  /** Shrinks first if the terminal is too narrow. */
  flexible?: boolean;
  /** May be left out if the table is too wide; the last such column goes first. */
  spare?: boolean;
  /** Never cut, because people copy its content. */
  whole?: boolean;
}

const GAP = 2;
const NARROWEST = 8;

const NO_LINES = Object.fromEntries(
  [
    ..."top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right".split(" "),
    ..."left left-mid mid mid-mid right right-mid middle".split(" "),
  ].map((name) => [name, ""]),
);

const ASCII = /^[\x20-\x7E]*$/;
let segmenter: Intl.Segmenter | undefined;
const WIDE =
  /\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]/u;

/**
 * Width in columns of the terminal. Most texts are ASCII, and loading the rules for others takes as
 * long as starting Node.js.
 */
function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  segmenter ??= new Intl.Segmenter();
  return [...segmenter.segment(text)].reduce((width, { segment }) => width + (WIDE.test(segment) ? 2 : 1), 0);
}

/**
 * A simple table: aligned columns under a dim heading, without lines, cut to the width of the
 * terminal. Cells are escaped.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], paint = noPaint): string {
  const measured = columns.map((column, at) => {
    const cells = rows.map((row) => oneLine(row[at] ?? ""));
    return { ...column, cells, width: Math.max(widthOf(oneLine(column.title)), ...cells.map(widthOf)) };
  });
  const shown = withoutSpare(measured);
  const widths = fit(shown, outputWidth() - GAP * shown.length);
  const view = new Table({
    chars: NO_LINES,
    colWidths: widths.map((width) => width + GAP),
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
  });
  view.push(shown.map(({ title }) => dim(oneLine(title))));
  for (const at of rows.keys()) view.push(shown.map(({ cells }) => paint(cells[at] ?? "")));
  return view
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const noPaint = (text: string): string => text;

interface MeasuredColumn extends Column {
  cells: readonly string[];
  /** Width of the widest cell, or of the title if that is wider. */
  width: number;
}

function withoutSpare(columns: readonly MeasuredColumn[]): readonly MeasuredColumn[] {
  const needed = columns.reduce((sum, { width }) => sum + width + GAP, 0);
  const at = columns.findLastIndex(({ spare }) => spare === true);
  return needed <= outputWidth() || at === -1 ? columns : withoutSpare(columns.toSpliced(at, 1));
}

/**
 * Shrinks the flexible columns, widest first, until all columns fit; the others only if that is not
 * enough.
 */
function fit(columns: readonly MeasuredColumn[], available: number): number[] {
  const widths = columns.map(({ width }) => width);
  const total = (): number => widths.reduce((sum, width) => sum + width, 0);
  for (const flexibleOnly of [true, false]) {
    while (total() > available) {
      const candidates = widths
        .map((width, at) => ({ width, at }))
        .filter(
          ({ width, at }) =>
            width > NARROWEST && columns[at]?.whole !== true && (!flexibleOnly || columns[at]?.flexible === true),
        );
      if (candidates.length === 0) break;
      const { at } = candidates.reduce((widest, next) => (next.width > widest.width ? next : widest));
      widths[at] = (widths[at] ?? 0) - 1;
    }
  }
  return widths;
}
