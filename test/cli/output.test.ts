import fc from "fast-check";
import { DataFactory } from "n3";
import { spawnSync } from "node:child_process";
import { expect, test, vi } from "vitest";
import { callText } from "../../cli/commands/chat/conversation.ts";
import {
  printError,
  truncated,
  escapedText,
  jsonText,
  note,
  oneLine,
  print,
  printPart,
  wrapped,
} from "../../cli/terminal/output.ts";
import { answerText } from "../../cli/query-result.ts";
import { writeJsonResults } from "../../src/ontology/sparql/json-results.ts";
import { table } from "../../cli/terminal/table.ts";

test("foreign text cannot control the terminal, whatever it contains", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapedText(text)).not.toMatch(/[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u200B\u2028\u2060\uFEFF]/u);
      expect(oneLine(text)).not.toMatch(/\p{Cc}|\p{Bidi_Control}|[\u200B\u200C\u2028\u2060\uFEFF]/u);
      expect(jsonText({ [text]: [text] })).not.toMatch(/\p{Cc}|\p{Bidi_Control}|[\u200B\u2028\u2060\uFEFF]/u);
      expect(JSON.parse(jsonText({ [text]: [text] }))).toEqual({ [text]: [text] });
    }),
  );
  expect(escapedText("\u001b[2Ja\r\u202eb\tc\n")).toBe("\\u001b[2Ja\\u000d\\u202eb\tc\n");
  expect(oneLine("F\u200B-1\u009b31m\ud800 \u{e0041}")).toBe("F\\u200b-1\\u009b31m\\ud800 \\udb40\\udc41");
});

test("people's text stays unchanged: emoji made of several characters, joined letters, line breaks", () => {
  for (const text of ["👩‍💻 ❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می\u200Cخواهم", "क्\u200Dष", "one\n\ttwo\n"]) expect(escapedText(text)).toBe(text);
  expect(oneLine("👩‍💻 ❤️ 1️⃣ Zoë\r\n北京")).toBe("👩‍💻 ❤️ 1️⃣ Zoë 北京");
  expect(escapedText("a\r\nb")).toBe("a\nb");
});

test("only our own styles reach the terminal, even if a command forgets to escape its output", async () => {
  const hostile = "\u001b]0;title\u0007\u001b[2J\u001b[8m\u001b[31mred\u001b[39m\u009b1m\u202e\u200b";
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const complained = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  for (const colors of ["1", "0"]) {
    vi.stubEnv("FORCE_COLOR", colors);
    for (const say of [print, printPart, note, printError]) say(`a\n\tb ${hostile}`);
  }
  vi.unstubAllEnvs();
  const text = [...written.mock.calls, ...complained.mock.calls].map(([chunk]) => String(chunk));
  vi.restoreAllMocks();
  expect(text).toHaveLength(8);
  for (const chunk of text) {
    expect(chunk).toContain("a\n\tb");
    // oxlint-disable-next-line no-control-regex -- it is about styles
    expect(chunk.replaceAll(/\u001b\[(?:2|22|31|39)m/g, "")).not.toMatch(/[^\P{Cc}\n\t]|\p{Bidi_Control}|\u200b/u);
  }
});

test("harmless text is written unchanged, including joined letters", () => {
  const text = escapedText("می\u200Cخواهم क्\u200Dष 👩‍💻\n");
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  printPart(text);
  const chunks = written.mock.calls.map(([chunk]) => String(chunk));
  vi.restoreAllMocks();
  expect(chunks).toEqual([text]);
});

test("a planned call is shown without hidden characters in its name, keys, values and nested values", () => {
  const hostile = "x\u001b[2J\u009b1m\u202e\u200b";
  const shown = callText({
    name: hostile,
    args: { [hostile]: hostile, list: [hostile, { [hostile]: [hostile] }], number: 1, none: null },
  });
  expect(shown).not.toMatch(/\p{Cc}|\p{Cf}/u);
  const escaped = String.raw`x\u001b[2J\u009b1m\u202e\u200b`;
  expect(shown).toBe(
    `${escaped}(${escaped}: "${escaped}", list: ["${escaped}",{"${escaped}":["${escaped}"]}], number: 1)`,
  );
});

test("a log line contains nothing that controls a terminal", () => {
  const script = `import { createLogger } from ${JSON.stringify(new URL("../../src/log.ts", import.meta.url).href)};
    createLogger("info").info({ place: "a\\u009b1m\\u202e\\u001b[2J" }, "b\\u007f\\u2066");`;
  const { stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(status).toBe(0);
  expect(stderr).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  expect(JSON.parse(stderr)).toMatchObject({ place: "a\u009b1m\u202e\u001b[2J", msg: "b\u007f\u2066" });
});

test("wrapping loses no word and respects the width", () => {
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

test("text is cut between characters", () => {
  expect(truncated("😀😀😀", 3)).toBe("😀😀😀");
  expect(truncated("😀😀😀", 2)).toBe("😀…");
});

test("a table is aligned, and its cells stay on one line", () => {
  const text = table(
    [{ title: "id" }, { title: "text" }],
    [
      ["1", "two\nlines\u001b[0m"],
      ["22", "北京"],
    ],
  );
  expect(text.split("\n")).toEqual(["id  text", "1   two lines\\u001b[0m", "22  北京"]);
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
  const answer = { result: rows, variables: ["a", "b", "c", "d", "unbound"], truncated: false };
  expect(writeJsonResults(answer)).toEqual({
    head: { vars: ["a", "b", "c", "d", "unbound"] },
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
  expect((await answerText(answer)).split("\n")[1]).toMatch(/^abi:Feedback +hallo +5$/);
  expect(
    writeJsonResults({
      result: [
        DataFactory.quad(DataFactory.namedNode("urn:s"), DataFactory.namedNode("urn:p"), DataFactory.literal("o")),
      ],
      variables: [],
      truncated: true,
    }),
  ).toEqual({
    truncated: true,
    quads: [
      {
        subject: { type: "uri", value: "urn:s" },
        predicate: { type: "uri", value: "urn:p" },
        object: { type: "literal", value: "o" },
      },
    ],
  });
});
