/**
 * What commands write: answers to standard output, everything else (progress, notes, errors) to standard error. Nothing else in the
 * package writes to either, so that foreign text cannot command the terminal, whoever forgets that it is foreign.
 */
import { Writable } from "node:stream";
import { stripVTControlCharacters, type styleText } from "node:util";
import { visibleJson, withEscapes } from "../../src/visible-text.ts";
import { hasColors, host, styledFor, type Output } from "./host.ts";

type Style = Parameters<typeof styleText>[0];

/** Text for standard output in a style, plain where colours are not wanted or not possible (`NO_COLOR`, a pipe). */
export const styled = (style: Style, text: string): string => styledFor(host().stdout, style, text);

export const dim = (text: string): string => styled("dim", text);
export const bold = (text: string): string => styled("bold", text);

/** Begins and ends the styles that we use. */
// oxlint-disable-next-line no-control-regex -- a style is made of one
const OWN_STYLE = /(\u001B\[(?:0|1|2|22|3[1-6]|39)m)/;

/** The text with nothing in it that commands a terminal but our own styles, where the stream may have any. */
function write(stream: Output, text: string, styles = hasColors(stream)): void {
  const parts = styles ? text.split(OWN_STYLE) : [text];
  stream.write(parts.map((part, at) => (at % 2 === 1 ? part : withEscapes(part, LINES + JOINERS))).join(""));
}

const LINES = "\n\t";

/** Characters that join letters in some scripts, without which their words are misspelt. */
const JOINERS = "\u200C\u200D";

/** A part of the answer, as it comes. */
export const printPart = (text: string): void => write(host().stdout, text);

/** One or more lines of the answer. */
export const print = (text = ""): void => printPart(`${text}\n`);

/** A value as JSON on one line. What could command a terminal is escaped, which means the same to machines. */
export const jsonText = (value: unknown): string => visibleJson(JSON.stringify(value));

/** The answer for machines, on one line. */
export const printJson = (value: unknown): void => print(jsonText(value));

/**
 * Standard output for a protocol alone: what anything else writes there from now on, such as a workflow of the user's own with
 * `console.log`, goes to standard error.
 */
export function reserveOutput(): { output: Writable; release: () => void } {
  const { stdout: stream, stderr: elsewhere } = host();
  const original = stream.write.bind(stream);
  stream.write = elsewhere.write.bind(elsewhere);
  return {
    output: new Writable({ write: (chunk: Buffer, encoding, done) => void original(chunk, encoding, done) }),
    release: () => {
      stream.write = original;
    },
  };
}

/** A line of a process of ours, which has made it fit for the terminal itself. */
export const relay = (stream: Output, line: string): void => void stream.write(`${line}\n`);

/** A quiet line beside the answer. */
export const note = (text: string): void => write(host().stderr, `${styledFor(host().stderr, "dim", text)}\n`);

/** One line that says what is wrong and what to do. */
export const printError = (text: string): void =>
  write(host().stderr, `${styledFor(host().stderr, "red", "error:")} ${text}\n`);

/** For help, whose styles Commander takes out itself where they are not wanted, and for usage errors, which repeat what was typed. */
export const helpOutput = {
  writeOut: (text: string): void => write(host().stdout, text, true),
  writeErr: (text: string): void => write(host().stderr, text, true),
  outputError: (text: string): void => write(host().stderr, text, false),
};

/** Columns of the terminal; without one, nothing needs to be cut. */
export function outputWidth(): number {
  const { isTTY, columns } = host().stdout;
  return isTTY ? columns || 80 : Number.POSITIVE_INFINITY;
}

/** Foreign text of one or more lines that cannot command the terminal: what cannot be seen is escaped. Line breaks and tabs stay. */
export const escapedText = (text: string): string => withEscapes(text.replaceAll("\r\n", "\n"), LINES + JOINERS);

/** The same on one line, with nothing in it that cannot be seen: for ids, names and messages. */
export const oneLine = (text: string): string => withEscapes(text.replaceAll(/\s+/gu, " ").trim());

/**
 * The text with line breaks at words, at most `width` characters a line; lines after the first begin with `indent` blanks
 * more. A word that is too long stays whole.
 */
export function wrapped(text: string, indent: number, width: number): string {
  if (text.length <= width) return text;
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
export function truncated(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text;
}

let numbers: Intl.NumberFormat | undefined;

/** `1234567` as `1,234,567`. Short ones are the same everywhere; to load languages for them would take as long as Node.js to start. */
export const count = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1000
    ? String(value)
    : (numbers ??= new Intl.NumberFormat("en-US")).format(value);

/** `1 email`, `2 emails`. */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
