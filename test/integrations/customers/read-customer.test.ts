import fc from "fast-check";
import { expect, test } from "vitest";
import { CustomerRecord } from "../../../src/integrations/customers/customer-source.ts";
import { CustomerFields, readCustomer } from "../../../src/integrations/customers/read-customer.ts";

const read = (object: object) => readCustomer(new CustomerFields().pick(object), "line 7");

test("reads every field and leaves out empty ones", () => {
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
  ["12,500.00", 12500],
  ["1.234,56", 1234.56],
  ["1.234.567", 1_234_567],
  ["1,234,567.8", 1_234_567.8],
  ["12,34,567.50", 1_234_567.5],
  ["12.5", 12.5],
  ["12,5", 12.5],
  ["0.500", 0.5],
  ["1234.567", 1234.567],
  ["1\u00a0234,50", 1234.5],
  ["1\u202f234\u202f567", 1_234_567],
  ["1 234.567", 1234.567],
  ["1'234.50", 1234.5],
  ["1’234", 1234],
  ["€ 1.234,50", 1234.5],
  ["-$1,234.50", -1234.5],
  ["5000 €", 5000],
  ["CHF 1'234.50", 1234.5],
  ["1234 EUR", 1234],
  ["−5", -5],
  ["(5)", -5],
  ["($1,234.50)", -1234.5],
  ["1.234,50-", -1234.5],
  ["1,5E+03", 1500],
  ["1.234e3", 1234],
  ["6,000.0", 6000],
  ["6.000,-", 6000],
  ["6'000.-", 6000],
  ["1 234.", 1234],
  ["50.-", 50],
  ["CHF 50.-", 50],
  ["50.-- CHF", 50],
  ["5,-", 5],
  ["5,– €", 5],
  ["5,—", 5],
  ["5,−", 5],
  ["5. -", 5],
  ["-5,-", -5],
  ["(5,-)", -5],
  ["5-", -5],
])("reads the lifetime value %j", (written, value) => {
  expect(read({ id: "C", lifetime_value: written })).toEqual({
    record: { id: "C", lifetime_value: value },
    issues: [],
  });
});

test.each([
  "abc",
  "1e999",
  "0x10",
  "NaN",
  "Infinity",
  "12.05.2024",
  "1,23.45",
  "1.2.3",
  "1,2,3",
  "--5",
  "5. EUR -",
  "5,---",
  "5.-3",
  "(-5)",
  "5%",
  "EUR",
  ".",
  "1 23",
  "12 34,5",
  "1.234.56",
  "1,234,56.7",
  "٣",
  "x".repeat(100),
  "5 5 €",
  {},
  [1],
  true,
])("accepts the customer without the lifetime value %j, and reports that", (written) => {
  expect(read({ id: "C-1", name: "Ada", lifetime_value: written })).toEqual({
    record: { id: "C-1", name: "Ada", lifetime_value: null },
    issues: [{ place: "line 7", id: "C-1", message: "lifetime_value is not a number: left out", skipped: false }],
  });
});

test.each(["6.000", "6,000", "123.456", "-6.000", "€ 6,000", "(6.000)"])("never guesses what %s is", (written) => {
  expect(read({ id: "C", lifetime_value: written })).toEqual({
    record: { id: "C", lifetime_value: null },
    issues: [{ place: "line 7", id: "C", message: expect.stringContaining("in two ways"), skipped: false }],
  });
  const raw = new CustomerFields().pick({ id: "C", lifetime_value: written });
  const values = ([".", ","] as const).map((mark) => readCustomer(raw, "x", mark).record?.lifetime_value);
  const digits = Number(written.replaceAll(/\D/g, "")) * (/^[-(]/.test(written) ? -1 : 1);
  expect(values).toEqual(written.includes(".") ? [digits / 1000, digits] : [digits, digits / 1000]);
});

test.each([
  ["Ada Lovelace <ada@example.com>", "ada@example.com"],
  ['"Lovelace, Ada" <ada@example.com>', "ada@example.com"],
  ["<ada@example.com>", "ada@example.com"],
  ["ada@example.com <ada@example.com>", "ada@example.com"],
  ["mailto:ada@example.com", "ada@example.com"],
  ["ada@example.com;", "ada@example.com"],
  [" ada@example.com\u00a0", "ada@example.com"],
  ["ada@bücher.example", "ada@xn--bcher-kva.example"],
  ["Ada <ada@MÜLLER.de>", "ada@xn--mller-kva.de"],
  ["ada@例え。jp", "ada@xn--r8jz45g.jp"],
  ["Ada@Example.COM", "Ada@Example.COM"],
])("reads the address in %j", (written, address) => {
  expect(read({ id: "C", email: written })).toEqual({ record: { id: "C", email: address }, issues: [] });
});

test.each([
  ["ada@example.com, bo@example.com", "email is more than one address: left out"],
  ["ada@example.com;bo@example.com", "email is more than one address: left out"],
  ["ada@example.com / bo@example.com", "email is more than one address: left out"],
  ["ada@example.com bo@example.com", "email is more than one address: left out"],
  ["Ada <ada@example.com>, Bo <bo@example.com>", "email is more than one address: left out"],
  ["bo@example.com <ada@example.com>", "email is more than one address: left out"],
  ["ada at example.com", "email is not an address that email can be sent to: left out"],
  ["n/a", "email is not an address that email can be sent to: left out"],
  ["ädä@example.com", "email is not an address that email can be sent to: left out"],
  ["ada@ü.de/x.com", "email is not an address that email can be sent to: left out"],
  ["ada@xn--a.ü", "email is not an address that email can be sent to: left out"],
  [`ada@${"ü".repeat(300)}.de`, "email is not an address that email can be sent to: left out"],
])("accepts the customer without the address %j, and reports that", (written, message) => {
  expect(read({ id: "C", email: written })).toEqual({
    record: { id: "C" },
    issues: [{ place: "line 7", id: "C", message, skipped: false }],
  });
});

test.each(["maybe", "2", 7, {}, [true], "x", "constructor"])(
  "a do_not_contact %j that is neither true nor false counts as true and is reported",
  (written) => {
    expect(read({ id: "C", do_not_contact: written })).toEqual({
      record: { id: "C", do_not_contact: true },
      issues: [
        {
          place: "line 7",
          id: "C",
          message: "do_not_contact is neither true nor false: counts as true",
          skipped: false,
        },
      ],
    });
  },
);

test.each([
  [{ do_not_contact: "no", doNotContact: "yes" }, true],
  [{ do_not_contact: "yes", doNotContact: "no" }, true],
  [{ do_not_contact: "", doNotContact: true }, true],
  [{ do_not_contact: false, doNotContact: "perhaps" }, true],
  [{ do_not_contact: "no", doNotContact: "" }, false],
])("any of several do_not_contact values that objects counts: %j", (written, value) => {
  expect(read({ id: "C", ...written }).record).toEqual({ id: "C", do_not_contact: value });
});

test("all faults of a customer are one issue", () => {
  const { issues } = read({ id: "C", email: "n/a", do_not_contact: "?", lifetime_value: "lots" });
  expect(issues).toEqual([
    {
      place: "line 7",
      id: "C",
      message:
        "email is not an address that email can be sent to: left out; lifetime_value is not a number: left out; " +
        "do_not_contact is neither true nor false: counts as true",
      skipped: false,
    },
  ]);
  expect(read({ lifetime_value: "lots", name: {} }).issues).toEqual([
    {
      place: "line 7",
      message: "id must not be empty; name must be a text; lifetime_value is not a number: left out",
      skipped: true,
    },
  ]);
});

test.each([
  ["true", true],
  ["YES", true],
  ["WAHR", true],
  ["ja", true],
  ["Y", true],
  ["si\u0301", true],
  ["NEIN", false],
  ["off", false],
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
  [{ id: "C", name: "a\u0000b" }, "name contains control characters"],
  [{ id: "C", name: "a\ud800" }, "name contains half of a surrogate pair"],
])("skips %j: %s", (object, message) => {
  const { record, issues } = read(object);
  expect(record).toBeUndefined();
  expect(issues).toMatchObject([{ place: "line 7", message, skipped: true }]);
});

test("never reveals a value in an issue", () => {
  const { issues } = read({
    id: "C",
    email: { at: "ada@example.com" },
    do_not_contact: "s3cret",
    lifetime_value: "9o9",
  });
  expect(JSON.stringify(issues)).not.toMatch(/ada@|s3cret|9o9/);
  expect(issues).toHaveLength(1);
});

test("accepts quotes, markup, SPARQL and right-to-left marks unchanged", () => {
  const name = '"}; DROP ALL # <b>\u202E\\';
  expect(read({ id: "C", name }).record).toEqual({ id: "C", name });
});

test("any input gives a record that matches the schema, or an issue that skips it", () => {
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

test.each(["C-1 ", " \u00A0C-1\u200B", "C-1\uFEFF"])("reads the id %j without invisible characters around it", (id) => {
  expect(read({ id }).record).toEqual({ id: "C-1" });
  expect(read({ id, name: "x".repeat(600) }).issues).toMatchObject([{ id: "C-1", skipped: true }]);
});
