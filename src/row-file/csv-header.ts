import { isUtf8 } from "node:buffer";
import { ValidationError } from "../errors.ts";
import { CsvSyntax } from "./csv-record.ts";
import { MAX_ROW_LENGTH, NOT_UTF8_FILE } from "./row.ts";
import type { LookaheadText } from "./lookahead-text.ts";

/** In order of preference: if several fit equally well, the first wins. */
const DELIMITERS = [",", ";", "\t", "|"];
const NOTHING = /^[\s,;|]*$/;
/** A line that tells Excel the delimiter: `sep=;`. */
const SEPARATOR_LINE = /^"?sep=([^\w\s"]|\t)"?[\s,;|]*$/i;
/** How many rows are read to see whether a delimiter fits. */
const SAMPLE = 5;

export interface CsvHeader {
  syntax: CsvSyntax;
  columns: string[];
  /** Whether the heading has a blank after a delimiter. */
  isSpaced: boolean;
}

/**
 * Reads everything up to the first row: empty lines, a line `sep=;`, and the heading.
 * @throws ValidationError if there is no heading, or it is too long or not UTF-8
 */
export async function takeHeader(ahead: LookaheadText): Promise<CsvHeader> {
  let separator: string | undefined;
  for (;;) {
    const line = await ahead.lineEnd(MAX_ROW_LENGTH);
    if (line === undefined) throw invalid("The first line is too long. It must name the file's columns.");
    if (line.end === 0) throw invalid("The file is empty. It needs a first line that names its columns.");
    const text = ahead.text.slice(0, line.content);
    const named = separator === undefined ? SEPARATOR_LINE.exec(text)?.[1] : undefined;
    if (named === undefined && !NOTHING.test(text)) break;
    separator ??= named;
    ahead.take(line.end, 1);
  }
  await ahead.grow();
  const syntax = separator === undefined ? fittingSyntax(ahead) : new CsvSyntax(separator);
  const { names, written } = await takeNames(ahead, syntax);
  const bytes = names.map((name) => Buffer.from(name, "latin1"));
  if (!bytes.every((name) => isUtf8(name))) throw new ValidationError(NOT_UTF8_FILE, { code: "not_utf8" });
  return {
    syntax,
    columns: bytes.map((name) => name.toString("utf8").trim()),
    isSpaced: syntax.hasSpacedDelimiter(withoutQuoted(written)),
  };
}

async function takeNames(ahead: LookaheadText, syntax: CsvSyntax): Promise<{ names: string[]; written: string }> {
  let record = syntax.read(ahead.text, 0, ahead.isAll);
  while (record.state === "open" && ahead.text.length < MAX_ROW_LENGTH && (await ahead.grow())) {
    record = syntax.read(ahead.text, 0, ahead.isAll);
  }
  if (record.state === "whole") {
    const written = ahead.text.slice(0, record.end);
    ahead.take(record.end);
    return { names: record.values, written };
  }
  // The quotes are not balanced, so they can't protect a delimiter or a line end.
  const line = await ahead.lineEnd(MAX_ROW_LENGTH);
  const written = ahead.text.slice(0, line?.content ?? 0);
  ahead.take(line?.end ?? 0);
  return { names: syntax.split(written).map((name) => name.replaceAll('"', "")), written };
}

/**
 * The syntax with the best delimiter: the one that gives the same number of columns as the heading
 * to the largest number of the first rows. On a tie, the one with more columns wins.
 */
function fittingSyntax({ text, isAll }: LookaheadText): CsvSyntax {
  const candidates = DELIMITERS.map((delimiter) => {
    const syntax = new CsvSyntax(delimiter);
    const heading = syntax.read(text, 0, isAll);
    const columns = heading.state === "whole" ? heading.values.length : columnsOutsideQuotes(syntax, text);
    return { syntax, columns, rows: columns === 1 ? 0 : rowsThatFit(syntax, text, heading.end, columns) };
  });
  return candidates.reduce((best, other) =>
    other.rows > best.rows || (other.rows === best.rows && other.columns > best.columns) ? other : best,
  ).syntax;
}

function columnsOutsideQuotes(syntax: CsvSyntax, text: string): number {
  const [line = ""] = text.split(/[\r\n]/, 1);
  return syntax.delimitersIn(withoutQuoted(line)) + 1;
}

const withoutQuoted = (text: string): string => text.replaceAll(/"[^"]*"/g, "");

function rowsThatFit(syntax: CsvSyntax, text: string, from: number, columns: number): number {
  let fitting = 0;
  for (let at = from, row = 0; row < SAMPLE && at < text.length; row += 1) {
    const record = syntax.read(text, at, false);
    if (record.state !== "whole") break;
    if (record.values.length === columns) fitting += 1;
    at = record.end;
  }
  return fitting;
}

const invalid = (message: string): ValidationError => new ValidationError(message);
