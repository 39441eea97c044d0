import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openRows } from "../../src/cli/batch/read-rows.ts";
import { ValidationError } from "../../src/errors.ts";
import { readCsv } from "../../src/row-file/csv.ts";
import { readJsonArray } from "../../src/row-file/json-array.ts";
import { readJsonLines } from "../../src/row-file/json-lines.ts";
import { LONGEST_ROW } from "../../src/row-file/row.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Bytes cut wherever: in the middle of characters and line ends. */
const chunked = async function* (bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
};

const csv = (text: string | Buffer, size = 7, onColumns = (): void => {}) => {
  const bytes = Buffer.from(text);
  return Array.fromAsync(readCsv(chunked(bytes, size), bytes.length, onColumns));
};

const jsonLines = (text: string | Buffer, size = 7) => {
  const bytes = Buffer.from(text);
  return Array.fromAsync(readJsonLines(chunked(bytes, size), bytes.length));
};

const jsonArray = (text: string | Buffer, size = 7) => {
  const bytes = Buffer.from(text);
  return Array.fromAsync(readJsonArray(chunked(bytes, size), bytes.length));
};

const anyText = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());
const anySize = fc.integer({ min: 1, max: 50 });

describe("JSON lines", () => {
  test("give back any objects, wherever the bytes are cut, and end at 1", async () => {
    const object = fc.dictionary(fc.string(), anyText);
    await fc.assert(
      fc.asyncProperty(
        fc.array(object, { minLength: 1 }),
        anySize,
        fc.constantFrom("\n", "\r\n"),
        async (objects, size, end) => {
          const rows = await jsonLines(objects.map((entry) => JSON.stringify(entry)).join(end), size);
          expect(rows.map(({ values }) => values)).toEqual(objects.map((entry) => JSON.parse(JSON.stringify(entry))));
          expect(rows.map(({ line }) => line)).toEqual(objects.map((_, at) => at + 1));
          expect(rows.at(-1)?.share).toBe(1);
        },
      ),
    );
  });

  test("that are broken, no objects, or not UTF-8 are problems of their own", async () => {
    const latin1 = Buffer.concat([
      Buffer.from('\uFEFF{"a":1}\n\n  \n{"a":\n3\n'),
      Buffer.from('{"a":"\xe9"}', "latin1"),
      Buffer.from('\n{"b":2}'),
    ]);
    expect(await jsonLines(latin1)).toMatchObject([
      { line: 1, values: { a: 1 } },
      { line: 4, problem: "is not valid JSON" },
      { line: 5, problem: "is not a JSON object" },
      { line: 6, problem: "is not UTF-8 text" },
      { line: 7, values: { b: 2 } },
    ]);
  });

  test("that are too long are skipped, and the next one is read", async () => {
    const rows = await jsonLines(`${"x".repeat(LONGEST_ROW + 1)}\n{"a":1}\n`, 65_536);
    expect(rows).toMatchObject([
      { line: 1, problem: "is longer than 1000000 bytes" },
      { line: 2, values: { a: 1 } },
    ]);
  });
});

describe("CSV", () => {
  test("gives back any texts, wherever the bytes are cut", async () => {
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    const rows = fc.array(fc.tuple(anyText, anyText), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        anySize,
        fc.constantFrom(",", ";", "\t"),
        fc.constantFrom("\n", "\r\n"),
        async (cells, size, mark, end) => {
          const text = [["one", "two"], ...cells].map((row) => row.map(quoted).join(mark)).join(end);
          const read = await csv(text, size);
          expect(read.map(({ values }) => [values?.["one"], values?.["two"]])).toEqual(cells);
        },
      ),
    );
  });

  test("tells lines as an editor counts them, and its columns", async () => {
    let columns: unknown;
    const text = '\uFEFFa , b\r\n\r\n1,2\r\n"x\r\ny",3\r\n5" wide, 6\r\n';
    const rows = await csv(text, 3, ((names: unknown) => (columns = names)) as () => void);
    expect(columns).toEqual(["a", "b"]);
    expect(rows).toMatchObject([
      { line: 3, values: { a: "1", b: "2" } },
      { line: 4, values: { a: "x\r\ny", b: "3" } },
      { line: 6, values: { a: '5" wide', b: "6" } },
    ]);
  });

  test("rows that are broken are problems of their own; behind an open quote nothing can be read", async () => {
    const text = Buffer.concat([
      Buffer.from('a,b\n"x"y,1\n1\n'),
      Buffer.from("\xe9,2\n", "latin1"),
      Buffer.from('3,4\n"open,5\n6,7\n'),
    ]);
    expect(await csv(text)).toMatchObject([
      { line: 2, problem: expect.stringContaining("broken quotes") as string },
      { line: 3, problem: "has 1 columns where the first line has 2" },
      { line: 4, problem: "is not UTF-8 text" },
      { line: 5, values: { a: "3", b: "4" } },
      { line: 6, problem: expect.stringContaining("nor what follows") as string },
    ]);
  });

  test("an empty file is refused", async () => {
    await expect(csv("")).rejects.toThrow("needs a first line");
  });
});

describe("a JSON array", () => {
  test("gives back any objects, however written and wherever the bytes are cut", async () => {
    const object = fc.dictionary(fc.string(), anyText);
    await fc.assert(
      fc.asyncProperty(
        fc.array(object),
        anySize,
        fc.integer({ min: 0, max: 4 }),
        fc.constantFrom("", "\uFEFF"),
        async (objects, size, indent, mark) => {
          const rows = await jsonArray(mark + JSON.stringify(objects, null, indent), size);
          expect(rows.map(({ values }) => values)).toEqual(objects.map((entry) => JSON.parse(JSON.stringify(entry))));
        },
      ),
    );
  });

  test("elements that are broken, no objects, or not UTF-8 are problems of their own", async () => {
    const text = Buffer.concat([
      Buffer.from('[\n{"a":1},\n{"a":2,},\n42,\n{"a":"'),
      Buffer.from("\xe9", "latin1"),
      Buffer.from('"},\n{"a":"]}[,\\""}]'),
    ]);
    expect(await jsonArray(text)).toMatchObject([
      { line: 2, values: { a: 1 } },
      { line: 3, problem: "is not valid JSON" },
      { line: 4, problem: "is not a JSON object" },
      { line: 5, problem: "is not UTF-8 text" },
      { line: 6, values: { a: ']}[,"' }, share: 1 },
    ]);
  });

  test.each([
    ['[{"a":1},{"a', "it ends in the middle of the JSON array"],
    ['[{"a":1},]', "an element is missing beside a comma"],
    ['[{"a":1}] []', "the JSON array has ended, and there is more"],
    [`[{"a":1},{"a":"${"x".repeat(LONGEST_ROW)}`, "a quote or bracket is not closed"],
  ])("that is broken (%.20s) gives out what comes before, and says why it ends", async (text, broken) => {
    const rows = await jsonArray(text, 65_536);
    expect(rows).toMatchObject([{ values: { a: 1 } }, { line: 1, broken }]);
  });

  test.each(["", "  ", '{"a":1}', '"x"'])("is not what %j is", async (text) => {
    await expect(jsonArray(text)).rejects.toThrow("must hold a JSON array");
  });
});

test("whatever bytes come, reading them ends with rows or with an error for people", async () => {
  const bytes = fc.oneof(
    fc.uint8Array().map((array) => Buffer.from(array)),
    fc.array(fc.constantFrom(...'[]{},"\\:\n\r id;'.split(""))).map((characters) => Buffer.from(characters.join(""))),
  );
  const readers = fc.constantFrom(readCsv, readJsonArray, readJsonLines);
  await fc.assert(
    fc.asyncProperty(bytes, anySize, readers, async (bytes, size, read) => {
      const rows = Array.fromAsync(read(chunked(bytes, size), bytes.length, () => {}));
      const failure = await rows.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure === undefined || failure instanceof ValidationError).toBe(true);
    }),
  );
});

test("a batch counts the items of a JSON array instead of its lines", async () => {
  const path = join(temporaryFolder(), "f.json");
  writeFileSync(path, '[{"a": 1}, 2]');
  expect(await Array.fromAsync(await openRows(path, () => {}))).toMatchObject([
    { line: 1, values: { a: 1 } },
    { line: 2, share: 1, problem: "is not a JSON object" },
  ]);
});
