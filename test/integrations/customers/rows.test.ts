import fc from "fast-check";
import { expect, test } from "vitest";
import { ValidationError } from "../../../src/errors.ts";
import { readCsv } from "../../../src/integrations/customers/csv-rows.ts";
import { readJsonArray, readJsonLines } from "../../../src/integrations/customers/json-rows.ts";
import type { Row } from "../../../src/integrations/customers/rows.ts";

const customer = fc.record({ id: fc.string({ minLength: 1 }), name: fc.string({ unit: "binary" }) });

/** Any text, cut into chunks anywhere but within a character, as a decoder does. */
async function* chunked(text: string, size: number): AsyncGenerator<string> {
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += size) yield characters.slice(at, at + size).join("");
}

async function rawOf(rows: AsyncIterable<Row>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { raw, problem } of rows) found.push(problem ?? raw);
  return found;
}

const size = fc.integer({ min: 1, max: 20 });

test("a JSON array gives back the objects that went in, however written and cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(customer), size, fc.integer({ min: 0, max: 4 }), async (customers, size, indent) => {
      const text = JSON.stringify(customers, null, indent);
      expect(await rawOf(readJsonArray(chunked(text, size)))).toEqual(customers);
    }),
  );
});

test("JSON lines give back the objects that went in, however cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(customer), size, fc.constantFrom("\n", "\r\n"), async (customers, size, end) => {
      const text = customers.map((one) => JSON.stringify(one)).join(end);
      expect(await rawOf(readJsonLines(chunked(text, size)))).toEqual(customers);
    }),
  );
});

test("CSV gives back the values that went in, however cut and separated", async () => {
  const quote = (value: string): string => `"${value.replaceAll('"', '""')}"`;
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  const row = fc.record({ id: text, name: fc.oneof(text, fc.constantFrom('"', '""', '"a" b', ",;\t\r\n")) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row),
      size,
      fc.constantFrom(",", ";", "\t"),
      fc.constantFrom("\n", "\r\n", "\r"),
      async (rows, size, separator, end) => {
        const lines = rows.map(({ id, name }) => [quote(id), quote(name)].join(separator));
        const csv = [["id", "name"].join(separator), ...lines].join(end);
        expect(await rawOf(readCsv(chunked(csv, size)))).toEqual(rows);
      },
    ),
  );
});

test("whatever text comes, reading it ends with rows or with an error for people", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom(...'[]{},"\\:\n id;'.split(""))).map((a) => a.join("")),
  );
  await fc.assert(
    fc.asyncProperty(text, size, fc.constantFrom(readCsv, readJsonArray, readJsonLines), async (text, size, read) => {
      const failure = await rawOf(read(chunked(text, size))).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure === undefined || failure instanceof ValidationError).toBe(true);
    }),
  );
});
