import fc from "fast-check";
import { DataFactory } from "n3";
import { expect, test } from "vitest";
import { cut, harmless, oneLine, wrapped } from "../../src/cli/output.ts";
import { resultJson, resultText } from "../../src/cli/query-result.ts";
import { table } from "../../src/cli/table.ts";

test("foreign text cannot command the terminal, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(harmless(text)).not.toMatch(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/u);
      expect(oneLine(text)).not.toMatch(/\p{Cc}/u);
    }),
  );
  expect(harmless("\u001b[2Ja\r\u202eb\tc\n")).toBe("\uFFFD[2Ja\uFFFD\uFFFDb\tc\n");
});

test("wrapping loses no word and keeps to the width", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 9, max: 40 }), (list, width) => {
      const lines = wrapped(list.join(" "), 3, width).split("\n");
      expect(lines.flatMap((line) => line.trim().split(" "))).toEqual(list);
      expect(lines[0]?.length).toBeLessThanOrEqual(width);
      for (const line of lines.slice(1)) {
        expect(line.length).toBeLessThanOrEqual(width + 3);
        expect(line).toMatch(/^ {3}\S/);
      }
    }),
  );
});

test("cuts between characters", () => {
  expect(cut("😀😀😀", 3)).toBe("😀😀😀");
  expect(cut("😀😀😀", 2)).toBe("😀…");
});

test("a table is aligned, and its cells stay on one line", () => {
  const text = table(
    [{ title: "id" }, { title: "text" }],
    [
      ["1", "two\nlines\u001b[0m"],
      ["22", "北京"],
    ],
  );
  expect(text.split("\n")).toEqual(["id  text", "1   two lines\uFFFD[0m", "22  北京"]);
});

test("terms in SPARQL results keep their language and datatype; known prefixes are shortened for people", async () => {
  const rows = [
    {
      a: DataFactory.namedNode("http://example.org/abi#Feedback"),
      b: DataFactory.literal("hallo", "de"),
      c: DataFactory.literal("5", DataFactory.namedNode("http://www.w3.org/2001/XMLSchema#integer")),
    },
    { a: DataFactory.namedNode("urn:x"), d: DataFactory.literal("only here") },
  ];
  expect(resultJson(rows)).toEqual({
    head: { vars: ["a", "b", "c", "d"] },
    results: {
      bindings: [
        {
          a: { type: "uri", value: "http://example.org/abi#Feedback" },
          b: { type: "literal", value: "hallo", "xml:lang": "de" },
          c: { type: "literal", value: "5", datatype: "http://www.w3.org/2001/XMLSchema#integer" },
        },
        { a: { type: "uri", value: "urn:x" }, d: { type: "literal", value: "only here" } },
      ],
    },
  });
  expect((await resultText(rows)).split("\n")[1]).toMatch(/^abi:Feedback +hallo +5$/);
  expect(
    resultJson([
      DataFactory.quad(DataFactory.namedNode("urn:s"), DataFactory.namedNode("urn:p"), DataFactory.literal("o")),
    ]),
  ).toEqual({
    quads: [
      {
        subject: { type: "uri", value: "urn:s" },
        predicate: { type: "uri", value: "urn:p" },
        object: { type: "literal", value: "o" },
      },
    ],
  });
});
