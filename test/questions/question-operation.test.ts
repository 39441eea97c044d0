import { expect, test } from "vitest";
import { DataFactory } from "../../src/ontology/n3.ts";
import { valueOf } from "../../src/questions/question-operation.ts";

const XSD = "http://www.w3.org/2001/XMLSchema#";

const literal = (value: string, type: string) => DataFactory.literal(value, DataFactory.namedNode(`${XSD}${type}`));

test.each([
  ["7", "unsignedByte", 7],
  ["-7", "negativeInteger", -7],
  ["7", "short", 7],
  ["1.5e3", "double", 1500],
  ["INF", "double", "INF"],
  ["-INF", "float", "-INF"],
  ["NaN", "double", "NaN"],
  ["1", "boolean", true],
  ["2026-11-30", "date", "2026-11-30"],
])("%s of the type %s is the JSON value %j", (text, type, value) => {
  expect(valueOf(literal(text, type))).toBe(value);
});
