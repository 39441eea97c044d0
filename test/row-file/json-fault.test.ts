import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFault } from "../../src/row-file/json-fault.ts";

describe("jsonFault", () => {
  it.each([
    ['{"a":1,\n "b" 2}', 2, 6],
    ['{"a":1,\n "b": x}', 2, 7],
    ['{"a":1,}', 1, 8],
    ['{"a":1', 1, 7],
    ["{'a':1}", 1, 2],
    ['{"a":"é\ty"}', 1, 8],
    ['{"ü💥": nul}', 1, 11],
    ['[{"id":"C-1"\n\n"name":"Ann"}]', 3, 1],
    ["", 1, 1],
    ['{"a":1} x', 1, 9],
    ['{"a":01}', 1, 7],
  ])("finds where %j stops being valid JSON", (text, line, column) => {
    expect(jsonFault(text)).toEqual({ line, column });
  });

  it("finds nothing in valid JSON, and finds a control character inserted into it", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, at) => {
        expect(jsonFault(text)).toBeUndefined();
        const place = at % (text.length + 1);
        const broken = `${text.slice(0, place)}\u0001${text.slice(place)}`;
        expect(jsonFault(broken)).toEqual({ line: 1, column: Array.from(text.slice(0, place)).length + 1 });
      }),
    );
  });
});
