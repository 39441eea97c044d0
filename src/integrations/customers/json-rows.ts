import { pickFields } from "./read-customer.ts";
import { brokenFile, MAX_ENTRY, type Row } from "./rows.ts";

interface Entry {
  line: number;
  text: string;
}

const BLANK = /^\s*$/;

/** JSON Lines: one object a line, blank lines skipped. */
export async function* readJsonLines(chunks: AsyncIterable<string>): AsyncGenerator<Row> {
  for await (const { line, text } of lines(chunks)) if (!BLANK.test(text)) yield toRow(line, text);
}

/**
 * The elements of one JSON array, each parsed by itself: memory stays flat, and an element that is no JSON spoils
 * no other one.
 */
export async function* readJsonArray(chunks: AsyncIterable<string>): AsyncGenerator<Row> {
  for await (const { line, text } of elements(chunks)) yield toRow(line, text);
}

function toRow(line: number, text: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The error of `JSON.parse` quotes the text, which is about a customer.
    return { line, raw: {}, problem: "is not valid JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { line, raw: {}, problem: "is not a JSON object" };
  }
  return { line, raw: pickFields(value) };
}

/** Not `node:readline`: that also breaks lines at U+2028 and U+2029, which JSON strings may hold. */
async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<Entry> {
  let line = 1;
  let rest = "";
  for await (const chunk of withoutBom(chunks)) {
    const parts = chunk.split("\n");
    for (const part of parts.slice(0, -1)) {
      yield { line, text: rest + part };
      rest = "";
      line += 1;
    }
    rest += parts.at(-1) ?? "";
    if (rest.length > MAX_ENTRY) throw brokenFile(line, "the line is too long.");
  }
  yield { line, text: rest };
}

const WHITESPACE = new Set([" ", "\t", "\r", "\n"]);

async function* elements(chunks: AsyncIterable<string>): AsyncGenerator<Entry> {
  let line = 1;
  let state: "before" | "inside" | "after" = "before";
  let element: Entry | undefined;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let comma = false;

  for await (const chunk of withoutBom(chunks)) {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const char = chunk.charAt(at);
      if (char === "\n") line += 1;
      if (inString) {
        if (escaped) escaped = false;
        else if (char === "\\") escaped = true;
        else if (char === '"') inString = false;
        continue;
      }
      if (element === undefined && WHITESPACE.has(char)) continue;
      if (state === "after") throw brokenFile(line, "the JSON array has ended, and there is more.");
      if (state === "before") {
        if (char !== "[") throw brokenFile(line, "it is not a JSON array. One object a line belongs in a .jsonl file.");
        state = "inside";
        continue;
      }
      if (depth === 0 && (char === "," || char === "]")) {
        if (element !== undefined) yield { line: element.line, text: element.text + chunk.slice(from, at) };
        else if (char === "," || comma) throw brokenFile(line, "an element is missing beside a comma.");
        element = undefined;
        comma = char === ",";
        if (char === "]") state = "after";
        continue;
      }
      if (element === undefined) {
        element = { line, text: "" };
        from = at;
      }
      if (char === '"') inString = true;
      else if (char === "{" || char === "[") depth += 1;
      else if (char === "}" || char === "]") depth -= 1;
    }
    if (element === undefined) continue;
    element.text += chunk.slice(from);
    if (element.text.length > MAX_ENTRY) throw brokenFile(element.line, "a quote or bracket is not closed.");
  }
  if (state !== "after") throw brokenFile(element?.line ?? line, "it ends in the middle of the JSON array.");
}

async function* withoutBom(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let first = true;
  for await (const chunk of chunks) {
    yield first && chunk.startsWith("\uFEFF") ? chunk.slice(1) : chunk;
    first = false;
  }
}
