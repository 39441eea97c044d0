/**
 * The output of commands: answers to standard output, everything else (notes, errors) to standard
 * error. Commands write only through these functions, so text from others can't control the
 * terminal, even if someone forgets to escape it. Apart from them, only the log, the prompts and
 * the progress bar write to a terminal.
 */
import { Writable } from "node:stream";
import { stripVTControlCharacters, type styleText } from "node:util";
import { visibleJson, withEscapes } from "../../src/visible-text.ts";
import { hasColors, host, styledFor, type Output } from "./host.ts";

type Style = Parameters<typeof styleText>[0];

/**
 * Text for standard output in a style; plain if colours are not wanted or not possible (`NO_COLOR`,
 * a pipe).
 */
export const styled = (style: Style, text: string): string => styledFor(host().stdout, style, text);

export const dim = (text: string): string => styled("dim", text);
export const bold = (text: string): string => styled("bold", text);

/** Matches the codes that begin and end the styles that we use. */
// oxlint-disable-next-line no-control-regex -- a style's code begins with a control character
const OWN_STYLE = /(\u001B\[(?:0|1|2|22|3[1-6]|39)m)/;

/**
 * Writes the text without anything that controls a terminal, except our own styles if the stream
 * shows styles.
 */
function write(stream: Output, text: string, styles = hasColors(stream)): void {
  const parts = styles ? text.split(OWN_STYLE) : [text];
  stream.write(parts.map((part, at) => (at % 2 === 1 ? part : withEscapes(part, LINES + JOINERS))).join(""));
}

const LINES = "\n\t";

/** Invisible characters that some scripts need for the correct spelling of words. */
const JOINERS = "\u200C\u200D";

/** Prints a part of the answer, without a line break after it. */
export const printPart = (text: string): void => write(host().stdout, text);

/** Prints one or more lines of the answer. */
export const print = (text = ""): void => printPart(`${text}\n`);

/**
 * A value as JSON on one line. Characters that could control a terminal are escaped, which means
 * the same to programs.
 */
export const jsonText = (value: unknown): string => visibleJson(JSON.stringify(value));

/** Prints the answer for programs, on one line. */
export const printJson = (value: unknown): void => print(jsonText(value));

/**
 * Reserves standard output for a protocol. From then on, anything else written there, for example
 * by `console.log` in the user's own workflow, goes to standard error.
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

/** Writes a line from another process of ours, which has styles only if they are wanted. */
export const relay = (stream: Output, line: string): void => write(stream, `${line}\n`, true);

/** Prints a dim line in addition to the answer. */
export const note = (text: string): void => write(host().stderr, `${styledFor(host().stderr, "dim", text)}\n`);

/** Prints one line that says what is wrong and what to do. */
export const printError = (text: string): void =>
  write(host().stderr, `${styledFor(host().stderr, "red", "error:")} ${text}\n`);

/**
 * Writes help with its styles; Commander itself removes them if they are unwanted. Writes usage
 * errors without styles, because they repeat what was typed.
 */
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

/**
 * Text from others, on one or more lines, that can't control the terminal: invisible characters are
 * escaped, except line breaks, tabs and those that some scripts need.
 */
export const escapedText = (text: string): string => withEscapes(text.replaceAll("\r\n", "\n"), LINES + JOINERS);

/**
 * Text from others on one line, with all invisible characters escaped: for ids, names and messages.
 */
export const oneLine = (text: string): string => withEscapes(text.replaceAll(/\s+/gu, " ").trim());

/**
 * The text with line breaks between words, at most `width` characters a line. Lines after the first
 * are indented by `indent` blanks, which don't count toward `width`. A word that is too long stays
 * whole.
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

/** The length without the codes that set colours. */
const lengthOf = (text: string): number => stripVTControlCharacters(text).length;

/** The text, or its beginning and an ellipsis if it is longer than `length` characters. */
export function truncated(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text;
}

let numbers: Intl.NumberFormat | undefined;

/**
 * `1234567` as `1,234,567`. Short numbers need no formatting, and loading the locale data takes as
 * long as starting Node.js.
 */
export const count = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1000
    ? String(value)
    : (numbers ??= new Intl.NumberFormat("en-US")).format(value);

/** `1 email`, `2 emails`. */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
