import fc from "fast-check";
import { expect, test } from "vitest";
import { CustomerRecord } from "../../../src/integrations/customers/customer-source.ts";
import { pickFields, readCustomer } from "../../../src/integrations/customers/read-customer.ts";

const read = (object: object) => readCustomer(pickFields(object), "line 7");

test("reads every field and leaves out what is empty", () => {
  const full = { id: "C-1", name: "Ada", email: "ada@example.com", segment: "premium", lifetime_value: 12.5 };
  expect(read({ ...full, do_not_contact: true, favourite_colour: "red" })).toEqual({
    record: { ...full, do_not_contact: true },
    issues: [],
  });
  expect(read({ id: "C-2", name: "  ", email: null, segment: "", lifetime_value: " ", do_not_contact: "" })).toEqual({
    record: { id: "C-2" },
    issues: [],
  });
});

test.each(["lifetime_value", "lifetimeValue", "Lifetime Value", "LIFETIME-VALUE"])("knows the spelling %s", (name) => {
  expect(read({ customerId: "C-1", [name]: "5000.01" }).record).toEqual({ id: "C-1", lifetime_value: 5000.01 });
});

test.each([
  ["0", 0],
  ["-3", -3],
  [" 1e3 ", 1000],
  [".5", 0.5],
  [42, 42],
])("reads the lifetime value %j", (written, value) => {
  expect(read({ id: "C", lifetime_value: written })).toEqual({
    record: { id: "C", lifetime_value: value },
    issues: [],
  });
});

test.each(["12,500.00", "abc", "1e999", "0x10", "NaN", "Infinity", "5000 €", {}, [1], true])(
  "takes the customer without the lifetime value %j, and says so",
  (written) => {
    expect(read({ id: "C-1", name: "Ada", lifetime_value: written })).toEqual({
      record: { id: "C-1", name: "Ada" },
      issues: [{ place: "line 7", id: "C-1", message: "lifetime_value is not a number: left out", skipped: false }],
    });
  },
);

test.each([
  ["true", true],
  ["YES", true],
  [1, true],
  ["No", false],
  ["0", false],
  [false, false],
])("reads do_not_contact %j", (written, value) => {
  expect(read({ id: "C", do_not_contact: written }).record).toEqual({ id: "C", do_not_contact: value });
});

test.each([
  [{ name: "no id" }, "id must not be empty"],
  [{ id: "   " }, "id must not be empty"],
  [{ id: "x".repeat(201) }, "id must have at most 200 characters"],
  [{ id: "a\u0000b" }, "id has U+0000 at position 2, a character that people can't see or read; remove it"],
  [{ id: "a\nb" }, "id has U+000A at position 2, a character that people can't see or read; remove it"],
  [{ id: "a\u0085b" }, "id has U+0085 at position 2, a character that people can't see or read; remove it"],
  [{ id: "C-\u202e1" }, "id has U+202E at position 3, a character that people can't see or read; remove it"],
  [{ id: "C\ud800" }, "id has half of a Unicode surrogate pair, U+D800 at position 2; send well-formed text"],
  [{ id: " \u200B\uFEFF" }, "id must not be empty"],
  [{ id: {} }, "id must be a text"],
  [{ id: 2 ** 53 }, "id must be a text"],
  [{ id: "C", email: ["a@b.c"] }, "email must be a text"],
  [{ id: "C", name: "x".repeat(501) }, "name must have at most 500 characters"],
  [{ id: "C", do_not_contact: "maybe" }, "do_not_contact must be true or false"],
])("skips %j: %s", (object, message) => {
  const { record, issues } = read(object);
  expect(record).toBeUndefined();
  expect(issues).toMatchObject([{ place: "line 7", message, skipped: true }]);
});

test("never tells a value in an issue", () => {
  const { issues } = read({
    id: "C",
    email: { at: "ada@example.com" },
    do_not_contact: "s3cret",
    lifetime_value: "9o9",
  });
  expect(JSON.stringify(issues)).not.toMatch(/ada@|s3cret|9o9/);
  expect(issues).toHaveLength(2);
});

test("takes quotes, markup, SPARQL and right-to-left marks as they are", () => {
  const name = '"}; DROP ALL # <b>\u202E\\';
  expect(read({ id: "C", name }).record).toEqual({ id: "C", name });
});

test("whatever comes in, a record keeps the schema or there is an issue that skips it", () => {
  const value = fc.oneof(fc.string({ unit: "binary" }), fc.anything());
  const object = fc.record({ id: value, name: value, email: value, lifetime_value: value, do_not_contact: value });
  fc.assert(
    fc.property(object, (raw) => {
      const { record, issues } = readCustomer(raw, "x");
      expect(issues.some(({ skipped }) => skipped)).toBe(record === undefined);
      expect(CustomerRecord.optional().parse(record)).toEqual(record);
    }),
  );
});

test.each(["C-1 ", " \u00A0C-1\u200B", "C-1\uFEFF"])("reads the id %j without what surrounds it", (id) => {
  expect(read({ id }).record).toEqual({ id: "C-1" });
  expect(read({ id, email: "x".repeat(400) }).issues).toMatchObject([{ id: "C-1", skipped: true }]);
});
