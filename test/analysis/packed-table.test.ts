import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lookUp, pack } from "../../src/analysis/packed-table.ts";

describe("a packed table", () => {
  it("returns what was put in, and nothing for any other key", () => {
    // Few letters, so that keys have common beginnings and contain one another.
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é", " "), maxLength: 6 });
    fc.assert(
      fc.property(fc.dictionary(text, text), fc.array(text), (entries, others) => {
        const table = pack(Object.entries(entries));
        for (const key of [...Object.keys(entries), ...others]) {
          expect(lookUp(table, key)).toBe(Object.hasOwn(entries, key) ? entries[key] : undefined);
        }
      }),
    );
  });

  it("has no other keys", () => {
    const table = pack([["constructs", "1"]]);
    for (const key of ["constructor", "__proto__", "toString", "co", "constructs\t1", ""]) {
      expect(lookUp(table, key)).toBeUndefined();
    }
  });
});
