/** What commands write: answers to standard output, everything else (progress, notes, errors) to standard error. */
import { stripVTControlCharacters, type styleText } from "node:util";
import { host, styledFor } from "./host.ts";

type Style = Parameters<typeof styleText>[0];

/** Text for standard output in a style, plain where colours are not wanted or not possible (`NO_COLOR`, a pipe). */
export const styled = (style: Style, text: string): string => styledFor(host().stdout, style, text);

export const dim = (text: string): string => styled("dim", text);
export const bold = (text: string): string => styled("bold", text);

/** One or more lines of the answer. */
export const print = (text = ""): void => void host().stdout.write(`${text}\n`);

/** The answer for machines, on one line. What could command a terminal is escaped, which means the same to machines. */
export const printJson = (value: unknown): void =>
  print(
    JSON.stringify(value).replaceAll(CONTROL, (character) => {
      const code = character.charCodeAt(0).toString(16);
      return `\\u${code.padStart(4, "0")}`;
    }),
  );

/** A quiet line beside the answer. */
export const note = (text: string): void => void host().stderr.write(`${styledFor(host().stderr, "dim", text)}\n`);

/** One line that says what is wrong and what to do. */
export const complain = (text: string): void =>
  void host().stderr.write(`${styledFor(host().stderr, "red", "error:")} ${text}\n`);

/** Columns of the terminal; without one, nothing needs to be cut. */
export function outputWidth(): number {
  const { isTTY, columns } = host().stdout;
  return isTTY ? columns || 80 : Number.POSITIVE_INFINITY;
}

// Also what turns the direction of writing round: a terminal obeys it, whoever wrote it.
const CONTROL = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** Foreign text that cannot command the terminal. Line breaks and tabs stay. */
export const harmless = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(CONTROL, (character) => (character === "\n" || character === "\t" ? character : "\uFFFD"));

/** The same on one line. */
export const oneLine = (text: string): string => harmless(text.replaceAll(/\s+/gu, " ").trim());

/**
 * The text with line breaks at words, at most `width` characters a line; lines after the first begin with `indent` blanks
 * more. A word that is too long stays whole.
 */
export function wrapped(text: string, indent: number, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && lengthOf(line) + 1 + lengthOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}

/** Without what only sets the colour. */
const lengthOf = (text: string): number => stripVTControlCharacters(text).length;

/** The text, or its beginning and an ellipsis where it is longer than `length` characters. */
export function cut(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text;
}

const numbers = new Intl.NumberFormat("en-US");

/** `1234567` as `1,234,567`. */
export const count = (value: number): string => numbers.format(value);

/** `1 mail`, `2 mails`. */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
