import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { identifier } from "../src/identifier.ts";
import { tidyIdentifier } from "../src/tidy-identifier.ts";

const schema = z.object({ id: identifier("An id.") });
const read = (id: unknown): string => schema.parse({ id }).id;
const problem = (id: unknown): string => schema.safeParse({ id }).error?.issues[0]?.message ?? "";

/** Spaces and zero-width characters, which occur at the ends of ids in pasted text and in files. */
const BLANKS = Array.from(
  [
    "\t \u000B\f\r\n\u0085\u00A0\u1680\u2000\u2003\u2009\u200A\u2028\u2029\u202F\u205F\u3000",
    "\uFE00\uFE0F\u034F\u17B4\u180B\u206A\u{E0001}\u{E0100}\u{1D173}",
    "\u00AD\u061C\u180E\u200B\u200C\u200D\u200E\u200F\u2060\u2063\u2800\u3164\uFEFF\uFFA0",
  ].join(""),
);

describe("an id from a caller", () => {
  it.each(BLANKS)("is the same with %j before or after it", (blank) => {
    for (const text of [`F-77${blank}`, `${blank}F-77`, `${blank} ${blank}F-77${blank}${blank}`]) {
      expect(read(text)).toBe("F-77");
    }
    expect(problem(blank)).toBe("must not be empty");
  });

  it("is the same in composed and decomposed form", () => {
    expect(read("Rene\u0301-1")).toBe("Ren\u00E9-1");
    expect(read("\u1112\u1161\u11AB")).toBe("\uD55C");
  });

  it("may be an integer, read as its digits, but no other number", () => {
    expect([read(1001), read(-7), read(9_007_199_254_740_991)]).toEqual(["1001", "-7", "9007199254740991"]);
    for (const number of [1.5, 9_007_199_254_740_992, Number.NaN, true, null, {}, ["F-1"]]) {
      expect(schema.safeParse({ id: number }).success).toBe(false);
    }
  });

  it.each([
    ["F\u0000-1", "U+0000 at position 2"],
    ["F-\u001B[31m1", "U+001B at position 3"],
    ["a\u00851", "U+0085 at position 2"],
    ["a\nb", "U+000A at position 2"],
    ["F\u00AD1", "U+00AD at position 2"],
    ["F\u034F1", "U+034F at position 2"],
    ["F-\u200B7", "U+200B at position 3"],
    ["\u{1F600}\u200D1", "U+200D at position 2"],
    ["F\u200E1", "U+200E at position 2"],
    ["\u202EF-1", "U+202E at position 1"],
    ["F-1\u202E", "U+202E at position 4"],
    ["F\u20661\u2069", "U+2066 at position 2"],
    ["F\u20281", "U+2028 at position 2"],
    ["F\uFEFF1", "U+FEFF at position 2"],
    ["F\uFE0F1", "U+FE0F at position 2"],
    ["F\u{1D173}1", "U+1D173 at position 2"],
    ["F-1\u2069\uFE0F", "U+2069 at position 4"],
    ["\u{E0001}\u202AF-1", "U+202A at position 1"],
    ["F\uFFFC1", "U+FFFC at position 2"],
    ["F\uFFFD1", "U+FFFD at position 2"],
    ["F\u{E0041}1", "U+E0041 at position 2"],
    ["F\uE0001", "U+E000 at position 2"],
    ["F\uFFFF1", "U+FFFF at position 2"],
    ["F\u03781", "U+0378 at position 2"],
    ["F\u31641", "U+3164 at position 2"],
    ["F\u28001", "U+2800 at position 2"],
    ["F-\uD800", "U+D800 at position 3"],
    ["F\u00A01", "U+00A0 at position 2"],
    ["F\u30001", "U+3000 at position 2"],
    ["F  1", "two spaces in a row, at position 2"],
  ])("is refused with the code point of the invalid character: %j", (id, message) => {
    expect(problem(`  ${id}`)).toContain(message);
    expect(problem(id)).not.toMatch(/[^\x20-\x7E]/);
  });

  it.each(["", "   ", "\u202E", "\u0000", "\uFE0F\u202E"])("counts as empty: %j", (id) => {
    expect(problem(id)).toBe("must not be empty");
  });

  it("may be anything that people can read: other scripts, symbols, a space, names of object properties", () => {
    for (const id of ["北京 7", "عميل-١", "Zoë O'Neil", "a/b?c#d%20", "😀", "constructor", "__proto__", "null"]) {
      expect(read(id)).toBe(id);
    }
  });

  it("has at most 200 characters, not counting spaces around it", () => {
    expect(read(`${" ".repeat(5000)}${"x".repeat(200)}\u200B`)).toHaveLength(200);
    expect(problem("x".repeat(201))).toBe("must have at most 200 characters");
  });

  it("does not change when it is read again, and contains nothing invisible", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const result = schema.safeParse({ id: text });
        if (!result.success) return;
        const { id } = result.data;
        expect(read(id)).toBe(id);
        expect(tidyIdentifier(` ${id}\u200B`)).toBe(id);
        expect(id).toMatch(
          /^[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}](?: ?[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}])*$/u,
        );
      }),
    );
  });

  it("is read without delay even if it contains megabytes of spaces", { timeout: 60_000 }, () => {
    const text = `a${"\u00A0".repeat(2_000_000)}b`;
    expect(tidyIdentifier(text)).toBe(text);
    expect(problem(text)).toBe("must have at most 200 characters");
  });
});
