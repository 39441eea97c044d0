import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ValidationError } from "../../src/errors.ts";
import { readCsv } from "../../src/row-file/csv.ts";
import { readJsonArray } from "../../src/row-file/json-array.ts";
import { readJsonLines } from "../../src/row-file/json-lines.ts";
import { MAX_ROW_LENGTH, placeOf, type OnColumns } from "../../src/row-file/row.ts";

/** The bytes in chunks that end anywhere: in the middle of characters and line ends. */
const chunked = async function* (bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
};

const csv = (text: string | Buffer, size = 7, onColumns: OnColumns = () => {}) => {
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
  test("return any objects, wherever the bytes are cut, and end at a share of 1", async () => {
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

  test("that are invalid JSON, not objects or not UTF-8 get a problem each", async () => {
    const latin1 = Buffer.concat([
      Buffer.from('\uFEFF{"a":1}\n\n  \n{"a":\n3\n'),
      Buffer.from('{"a":"\xe9"}', "latin1"),
      Buffer.from('\n{"b":2}'),
    ]);
    expect(await jsonLines(latin1)).toMatchObject([
      { line: 1, values: { a: 1 } },
      { line: 4, problem: "is not valid JSON (line 4, column 6)" },
      { line: 5, problem: "is not a JSON object" },
      { line: 6, problem: "is not UTF-8 text" },
      { line: 7, values: { b: 2 } },
    ]);
  });

  test("that are too long are refused, and the next one is read", async () => {
    const rows = await jsonLines(`${"x".repeat(MAX_ROW_LENGTH + 1)}\n{"a":1}\n`, 65_536);
    expect(rows).toMatchObject([
      { line: 1, problem: "is longer than 1000000 bytes" },
      { line: 2, values: { a: 1 } },
    ]);
  });
});

describe("CSV", () => {
  test("returns any texts, wherever the bytes are cut", async () => {
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

  test("counts lines as an editor does, and names its columns", async () => {
    let columns: unknown;
    const text = '\uFEFFa , b\r\n\r\n1,2\r\n"x\r\ny",3\r\n5" wide, 6\r\n';
    const rows = await csv(text, 3, (names) => (columns = names));
    expect(columns).toEqual(["a", "b"]);
    expect(rows).toMatchObject([
      { line: 3, values: { a: "1", b: "2" } },
      { line: 4, values: { a: "x\r\ny", b: "3" } },
      { line: 6, values: { a: '5" wide', b: "6" } },
    ]);
  });

  test("gets a problem for each broken row, even one whose quote is never closed", async () => {
    const text = Buffer.concat([
      Buffer.from('a,b\n"x"y,1\n1\n'),
      Buffer.from("\xe9,2\n", "latin1"),
      Buffer.from('3,4\n"open,5\n6,7\n'),
    ]);
    expect(await csv(text)).toMatchObject([
      { line: 2, problem: expect.stringContaining("broken quotes") as string },
      { line: 3, problem: "has 1 column where the first line has 2" },
      { line: 4, problem: "is not UTF-8 text" },
      { line: 5, values: { a: "3", b: "4" } },
      { line: 6, problem: expect.stringContaining("broken quotes") as string },
      { line: 7, values: { a: "6", b: "7" } },
    ]);
  });

  test("is refused if it is empty", async () => {
    await expect(csv("")).rejects.toThrow("needs a first line");
  });
});

describe("a JSON array", () => {
  test("returns any objects, however they are written and wherever the bytes are cut", async () => {
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

  test("gets a problem for each element that is invalid JSON, not an object or not UTF-8", async () => {
    const text = Buffer.concat([
      Buffer.from('[\n{"a":1},\n{"a":2,},\n42,\n{"a":"'),
      Buffer.from("\xe9", "latin1"),
      Buffer.from('"},\n{"a":"]}[,\\""}]'),
    ]);
    expect(await jsonArray(text)).toMatchObject([
      { line: 2, values: { a: 1 } },
      { line: 3, problem: "is not valid JSON (line 3, column 8)" },
      { line: 4, problem: "is not a JSON object" },
      { line: 5, problem: "is not UTF-8 text" },
      { line: 6, values: { a: ']}[,"' }, share: 1 },
    ]);
  });

  test.each([
    ['[{"a":1},{"a', "the file ends in the middle of the JSON array"],
    ['[{"a":1}] []', "there is more text after the end of the JSON array"],
    [`[{"a":1},{"a":"${"x".repeat(MAX_ROW_LENGTH)}`, "the file ends in the middle of the JSON array"],
  ])("that is broken (%.20s) yields the rows before the fault and says why it ends", async (text, broken) => {
    const rows = await jsonArray(text, 65_536);
    expect(rows).toMatchObject([{ values: { a: 1 } }, { line: 1, broken }]);
  });

  test("is read except for elements that are too long, or missing next to a comma", async () => {
    const long = `{"a":"${"x".repeat(MAX_ROW_LENGTH)}"}`;
    for (const size of [65_536, 3_000_000]) {
      expect(await jsonArray(`[{"a":1},\n${long},\n{"a":2},,\n{"a":3},\n]`, size)).toMatchObject([
        { line: 1, values: { a: 1 } },
        { line: 2, problem: "is longer than 1000000 bytes" },
        { line: 3, values: { a: 2 } },
        { line: 3, problem: "is missing beside a comma" },
        { line: 4, values: { a: 3 } },
        { line: 5, problem: "is missing beside a comma" },
      ]);
    }
  });

  test.each([
    ["an open quote", '[\n{"a":"x},\n{"a":2},\n{"a":"3"}\n]', 2],
    ["an open quote of a name", '[{"a:"x"},\n{"a":2},\n{"a":"3"}]', 1],
    [
      "an open quote in an indented object",
      '[\n  {\n    "a": "x,\n    "b": "y"\n  },\n  {\n    "a": 2\n  },\n  { "a": "3" }\n]',
      2,
    ],
    ["a missing bracket", '[{"a":{"b":1},{"a":2},{"a":"3"}]', 1],
    ["a missing square bracket", '[{"a":[1},{"a":2},{"a":"3"}]', 1],
    ["a bracket too many", '[{"a":1}},{"a":2},{"a":"3"}]', 1],
  ])("loses only one element to %s", async (_fault, text, line) => {
    const rows = await jsonArray(text);
    expect(rows).toMatchObject([
      { line, problem: expect.stringContaining("is not valid JSON") as string },
      { values: { a: 2 } },
      { values: { a: "3" } },
    ]);
  });

  test("yields an element of blanks that JSON doesn't allow as a row that is not valid", async () => {
    expect(await jsonArray('[{"a":1},\u00A0,{"a":2}]')).toMatchObject([
      { values: { a: 1 } },
      { line: 1, problem: "is not valid JSON" },
      { values: { a: 2 } },
    ]);
  });

  test.each(["", "  ", '{"a":1}', '"x"'])("is refused if it is %j", async (text) => {
    await expect(jsonArray(text)).rejects.toThrow("must contain a JSON array");
  });
});

/** Each row in short: its values, or `!` with its first and last line. */
const readings = async (text: string | Buffer, size = 7): Promise<string[]> =>
  (await csv(text, size)).map(({ line, values, problem }) =>
    problem === undefined
      ? Object.values(values ?? {}).join("|")
      : `!${line}${/ \(lines \d+ to (\d+)\)$/.exec(problem)?.[1]?.replace(/^/, "-") ?? ""}`,
  );

describe("a broken quote in CSV", () => {
  test.each([
    [
      "opened and met by a quoted value",
      'a,b\n1,"19 inch\n2,ok\n3,"fine"\n4,"x ""y"""\n',
      ["!2", "2|ok", "3|fine", '4|x "y"'],
    ],
    ["opened in the first column", 'a,b\n"19 inch,1\nok,2\n"fine",3\n', ["!2", "ok|2", "fine|3"]],
    ["opened and never closed", 'a,b\n1,"19 inch\n2,ok\n3,fine', ["!2", "2|ok", "3|fine"]],
    ["opened twice", 'a,b\n1,"19 inch\n2,ok\n3,"21 inch\n4,ok\n', ["!2", "2|ok", "!4", "4|ok"]],
    ["followed by text", 'a,b\n1,"so" he said\n2,ok\n', ["!2", "2|ok"]],
    [
      "before a quoted value of two lines",
      'a,b\n1,"19 inch\n2,ok\n3,"two\nlines"\n4,ok\n',
      ["!2", "2|ok", "3|two\nlines", "4|ok"],
    ],
    ["met by an inch mark in a text", 'a,b,c\n1,"19 inch,x\n2,ok,y\n3,27" is,z\n', ["!2", "2|ok|y", '3|27" is|z']],
    ["met by an inch mark that looks like its end", 'a,b,c\n1,x,"19 inch\n2,y,ok\n3,z,my 27"\n', ["!2-4"]],
    ["met by an inch mark in the next line", 'a,b,c,d\n1,x,y,"19 inch\n2,y,ok,my 27"\n3,x,y,z\n', ["!2-3", "3|x|y|z"]],
    ["met by an inch mark, so that the columns don't fit", 'a,b,c\n1,"19 inch,x\n2,ok,y\n3,z,my 27"\n', ["!2-4"]],
    ["met by a value that begins with a comma", 'a,b\n1,"19 inch\n2,ok\n3,",and so"\n4,ok\n', ["!2-4", "4|ok"]],
    [
      "met by a value that begins with a line end",
      'a,b\n1,"19 inch\n2,ok\n3,ok\n4,"\nnew"\n5,ok\n',
      ["!2-5", "!6", "5|ok"],
    ],
    ["beside empty quoted values", 'a,b\n1,"19 inch\n2,""\n3,ok\n', ["!2", "2|", "3|ok"]],
    [
      "in a value of several lines",
      'a,b,c\n1,x,"he said\n"wow", and left\nagain, and, again"\n2,ok,y\n',
      ["!2", "!3", "!4", "2|ok|y"],
    ],
  ])("affects no line that it does not enclose: %s", async (_how, text, expected) => {
    expect(await readings(text)).toEqual(expected);
    expect(await readings(text.replaceAll("\n", "\r\n"))).toEqual(expected.map((row) => row.replaceAll("\n", "\r\n")));
    expect(await readings(text.replaceAll(/,(?! )/g, ";"), 1)).toEqual(
      expected.map((row) => row.replaceAll(/,(?! )/g, ";")),
    );
  });

  test.each([
    [
      "prose",
      'a,b\n1,"Dear all,\nthanks, it works.\n\nBye, Ann"\n2,ok\n',
      ["1|Dear all,\nthanks, it works.\n\nBye, Ann", "2|ok"],
    ],
    [
      "in the first column",
      'a,b,c\n"two\nlines",1,2\n"and\nmore\nlines",3,4\n',
      ["two\nlines|1|2", "and\nmore\nlines|3|4"],
    ],
    ["a pasted table", 'a,b,c\n1,2,"My list:\n3,4,5\nBye"\n', ["1|2|My list:\n3,4,5\nBye"]],
    ["in several columns", 'a,b,c\n"x\ny","z\n",1\n', ["x\ny|z\n|1"]],
    ["with quotes in it", 'a,b\n1,"he said\n""wow"", and left"\n', ['1|he said\n"wow", and left']],
    ["a single line end", 'a,b\n1,"\n"\n', ["1|\n"]],
    ["of other width", 'a,b,c\n1,"two\nlines"\n2,ok,x\n', ["!2-3", "2|ok|x"]],
  ])("is not seen in a value of several lines: %s", async (_which, text, expected) => {
    expect(await readings(text)).toEqual(expected);
  });

  test.each([
    [
      "a text that forges a row",
      ['F-1,C-1001,Hello,"Thanks for the app', 'F-900,C-1002,Your account is locked,I hate you"'],
    ],
    ["a stray quote that swallows rows", ['F-1,C-1,s,"19 inch is great', "F-2,C-2,s,ok", 'F-3,C-3,s,I like the 21"']],
    ["one in a row with blanks", ['F-1, C-1, s, "19 inch is great', "F-2, C-2, s, ok", 'F-3, C-3, s, I like the 21"']],
    [
      "one that also swallows a row with too many values",
      ['F-1,C-1,s,"19 inch is great', "F-2,C-2,s,ok", "F-3,C-3,s,good,but slow", 'F-4,C-4,s,I like the 21"'],
    ],
    ["one in a file with blank lines", ['F-1,C-1,s,"19 inch is great', "", "F-2,C-2,s,ok", "", 'F-3,C-3,s,my 21"']],
    ["one in a column before the last", ['F-1,C-1,"19 inch is great,x', 'F-2,C-2,I like 21",x']],
  ])("has lines refused together if they could be rows or one value: %s", async (_which, lines) => {
    const last = lines.length + 1;
    for (const heading of ["id,customer,subject,text", "id, customer, subject, text"]) {
      const rows = await csv([heading, ...lines, 'F-4,C-4,s,"so, ""it"" is"'].join("\n"));
      expect(rows).toMatchObject([
        {
          line: 2,
          problem:
            "has a quoted value that looks like rows. Close its quote on line 2 or, if it is one value, put the row " +
            `into a .jsonl file (lines 2 to ${last})`,
        },
        { line: last + 1, values: { text: 'so, "it" is' } },
      ]);
      expect(rows).toHaveLength(2);
    }
  });

  test("does not make rows look like prose just because the heading has spaces after its delimiters", async () => {
    expect(await readings('a, b\n1,"19 inch\n2, ok\n3, my 21"\n4,ok\n')).toEqual(["!2-4", "4|ok"]);
    expect(await readings('"a, x",b\n1,"Dear Ann\nwell, ok\nso, bye"\n')).toEqual(["1|Dear Ann\nwell, ok\nso, bye"]);
    expect(await readings('a,b\n1,"19 inch\n2,ok\n3,my 21"\n4,ok\n')).toEqual(["!2-4", "4|ok"]);
  });

  test("does not make a row of the rest of a refused value", async () => {
    expect(await readings('a,b\n1,"19 inch\n2,ok\n3,"\nC-1,I hate you"\n4,ok\n')).toEqual(["!2-4", "!5", "4|ok"]);
  });

  test("leaves every line of a file in a row or a problem", async () => {
    const cell = fc
      .array(fc.constantFrom('"', '""', ",", " ", "x", "yz"), { maxLength: 5 })
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { maxLength: 12 }), anySize, async (lines, size) => {
        const named = lines.map((line, at) => (/^[\s,]*$/.test(line) ? "" : `${at}${line}`));
        const rows = await csv(["a,b", ...named].join("\n"), size);
        const spans = rows.flatMap(({ line, values, problem }, at) => {
          const last = / \(lines \d+ to (\d+)\)$/.exec(problem ?? "")?.[1];
          const spanned = Object.values(values ?? {})
            .join("")
            .split("\n").length;
          const next = rows[at + 1]?.line ?? Number.POSITIVE_INFINITY;
          expect(next).toBeGreaterThan(line);
          const end = problem === undefined ? line + spanned - 1 : Number(last ?? line);
          return Array.from({ length: end - line + 1 }, (_, more) => line + more);
        });
        const seen = new Set(spans);
        const unseen = named.flatMap((line, at) => (line === "" || seen.has(at + 2) ? [] : [at + 2]));
        expect(unseen).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("may be in every line, and the file is still read in linear time", async () => {
    const rows = await csv(`a,b\n${'a","\n'.repeat(150_000)}`, 65_536);
    expect(rows).toHaveLength(150_000);
  });
});

describe("a CSV row that is too long", () => {
  const long = "x".repeat(MAX_ROW_LENGTH);
  const wrapped = `${"x".repeat(76)}\n`.repeat(MAX_ROW_LENGTH / 50);

  test.each([
    ["without quotes", `1,${long}\n`, "!2"],
    ["in a quoted value", `1,"${long}"\n`, "!2"],
    ["in a quoted value with a line end behind", `1,"${long}",x\r\n`, "!2"],
    ["in a quoted value of many lines", `1,"${wrapped}"\n`, "!2-20002"],
  ])("is refused, and the others are read: %s", async (_where, row, refused) => {
    for (const size of [65_536, 5_000_000]) {
      expect(await readings(`a,b\n${row}2,ok\n3,"fine"\n`, size)).toEqual([refused, "2|ok", "3|fine"]);
    }
  });

  test("is refused up to the next closing quote if its own is missing", async () => {
    expect(await readings(`a,b\n1,"${wrapped}2,ok\n3,"fine"\n4,ok\n`, 65_536)).toEqual(["!2-20003", "4|ok"]);
  });

  test("is one row, even if some of its lines and its other values look like rows", async () => {
    const text = "F-9,C-1\nAll is well.\n".repeat(MAX_ROW_LENGTH / 15);
    const last = 3 + text.split("\n").length;
    expect(await readings(`a,b,c\n1,"${text}","F-9,C-1,x\nF-9,C-1,y"\n2,ok,x\n`, 65_536)).toEqual([
      `!2-${last - 1}`,
      "2|ok|x",
    ]);
    expect(await readings(`a,b\n1,"${text}"\n2,ok\n`, 65_536)).toEqual([`!2-${last - 2}`, "2|ok"]);
    expect(await readings(`a\n"${text}"\nok\n`, 65_536)).toEqual([`!2-${last - 2}`, "ok"]);
  });

  test("is not caused by a stray quote before more than a megabyte of rows, which affects only its own line", async () => {
    const good = Array.from({ length: 100_000 }, (_, at) => `${at},all is good`);
    const rows = await readings(`a,b\n1,"19 inch\n${good.join("\n")}\n`, 65_536);
    expect(rows).toHaveLength(100_001);
    expect(rows.slice(0, 2)).toEqual(["!2", "0|all is good"]);
  });
});

describe("a CSV heading", () => {
  const columnsOf = async (text: string | Buffer): Promise<string[]> => {
    let columns: readonly string[] = [];
    await csv(text, 7, (names) => (columns = names));
    return [...columns];
  };

  test.each([
    [
      "commas in quotes beside semicolons",
      '"Name, first, last, all";"Text";id\nAda;x;1\n',
      ["Name, first, last, all", "Text", "id"],
    ],
    ["semicolons in quotes beside commas", '"a;b;c;d","e"\n1,2\n', ["a;b;c;d", "e"]],
    ["tabs in quotes beside commas", '"a\tb\tc",d\n1,2\n', ["a\tb\tc", "d"]],
    [
      "commas without quotes, which the rows don't have",
      "id;Name, first;City, state, zip\n1;Ada;Rome\n",
      ["id", "Name, first", "City, state, zip"],
    ],
    ["a line end in quotes", '"a\nb";c\n1;2\n', ["a\nb", "c"]],
    ["the line sep=;", "sep=;\nid;a,b,c\n1;2\n", ["id", "a,b,c"]],
    ["the line sep=, in quotes, with Windows' line end", '"sep=,"\r\nid,a;b;c\r\n1,2\r\n', ["id", "a;b;c"]],
    ["the line SEP= with a tab", "SEP=\t\nid\ta,b,c\n1\t2\n", ["id", "a,b,c"]],
    ["a bar", "id|name, first\n1|Ada\n", ["id", "name, first"]],
    ["empty lines before it", "\n  \n\r\nid;b\n1;2\n", ["id", "b"]],
    ["a line of delimiters before it", ";;\nid;b\n1;2\n", ["id", "b"]],
    ["an empty line before and after sep=", "\nsep=;\n\nid;b\n1;2\n", ["id", "b"]],
    ["a broken quote", 'id,"name\n1,2\n', ["id", "name"]],
  ])("has %s", async (_what, text, columns) => {
    expect(await columnsOf(text)).toEqual(columns);
    expect(await columnsOf(`\uFEFF${text}`)).toEqual(columns);
  });

  test("counts towards the line numbers of the rows", async () => {
    expect(await csv('\nsep=;\n\n"a\nb";c\n1;2\n')).toMatchObject([{ line: 6, values: { "a\nb": "1", c: "2" } }]);
  });

  test("may name columns like built-in properties of objects", async () => {
    const [row] = await csv("id,constructor,__proto__,toString\n1,2,3,4\n");
    expect(Object.entries(row?.values ?? {})).toEqual([
      ["id", "1"],
      ["constructor", "2"],
      ["__proto__", "3"],
      ["toString", "4"],
    ]);
  });

  test("may be followed by spaces around quoted values, which are dropped, and by lines of only delimiters, which are skipped", async () => {
    expect(await readings('a,b\n"C-1" ,\t"x"\t\n,\n , \n "y" , "z" \n')).toEqual(["C-1|x", "y|z"]);
    expect(await readings('a\tb\n"C-1" \t "x"\n\t\n')).toEqual(["C-1|x"]);
  });
});

describe("UTF-16", () => {
  const littleEndian = (text: string): Buffer => Buffer.from(text, "utf16le");
  const bigEndian = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();

  test.each([
    ["little-endian with a mark", (text: string) => littleEndian(`\uFEFF${text}`)],
    ["big-endian with a mark", (text: string) => bigEndian(`\uFEFF${text}`)],
    ["little-endian", littleEndian],
    ["big-endian", bigEndian],
  ])("is read in every format, wherever the bytes are cut: %s", async (_which, encode) => {
    const name = "Zoë 木 😀";
    for (const size of [1, 7, 65_536]) {
      expect(await readings(encode(`a\tb\r\n1\t"${name}\n"\r\n2\t${name}\r\n`), size)).toEqual([
        `1|${name}\n`,
        `2|${name}`,
      ]);
      const rows = [{ values: { a: name } }, { values: { a: 2 }, share: 1 }];
      expect(await jsonLines(encode(`{"a":"${name}"}\n{"a":2}\n`), size)).toMatchObject(rows);
      expect(await jsonArray(encode(`[{"a":"${name}"},{"a":2}`.concat("]")), size)).toMatchObject([
        rows[0],
        { values: { a: 2 } },
      ]);
    }
  });

  test("loses only one row to half a surrogate pair, or half a character at the end", async () => {
    const text = littleEndian("\uFEFFa,b\n1,\ud83d\n2,ok\n3,x");
    expect(await csv(text.subarray(0, -1), 5)).toMatchObject([
      { line: 2, problem: "is not UTF-8 text" },
      { line: 3, values: { b: "ok" } },
      { line: 4, problem: "is not UTF-8 text" },
    ]);
  });

  test("is read, but UTF-32 is refused with a hint to save the file as UTF-8", async () => {
    await expect(csv(Buffer.concat([Buffer.of(0xff, 0xfe, 0, 0), Buffer.from("a\0\0\0")]))).rejects.toThrow(
      "Save it as UTF-8",
    );
  });

  test("is not assumed because of a zero byte in UTF-8 text", async () => {
    expect(await readings("a,b\n1,x\0y\n2,ok\n")).toEqual(["1|x\0y", "2|ok"]);
  });
});

test("reading any bytes ends with rows or with an error for people", async () => {
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

test("a row of a JSON array has a position as well as a line", async () => {
  const rows = await jsonArray('[{"a": 1}, 2,\n\n {"a"}, {"a": 3');
  expect(rows).toMatchObject([
    { line: 1, item: 1, values: { a: 1 } },
    { line: 1, item: 2, problem: "is not a JSON object" },
    { line: 3, item: 3, problem: expect.stringContaining("is not valid JSON") },
    { line: 3, item: 4, broken: "the file ends in the middle of the JSON array" },
  ]);
  expect(rows.map(placeOf)).toEqual(["item 1 (line 1)", "item 2 (line 1)", "item 3 (line 3)", "item 4 (line 3)"]);
  expect((await jsonLines('{"a": 1}\n')).map(placeOf)).toEqual(["line 1"]);
});
