import { expect, test } from "vitest";
import { createColumnMapping } from "../../../src/cli/batch/column-mapping.ts";

const FIELDS = { customer_id: "C-1", subject: "Hi", feedback_text: "Well." };

test("takes columns of the fields' names, and ignores others", () => {
  const { toParameters } = createColumnMapping([], []);
  expect(toParameters({ ...FIELDS, stars: 5, __proto__: { sentiment: "positive" } })).toEqual(FIELDS);
});

test("takes mapped columns and constants before columns of the same name", () => {
  const { toParameters } = createColumnMapping(["feedback_text=text=body"], ["customer_id=C-9", "subject=a = b"]);
  expect(toParameters({ ...FIELDS, "text=body": "Good." })).toEqual({
    customer_id: "C-9",
    subject: "a = b",
    feedback_text: "Good.",
  });
});

test("understands what a text file can say", () => {
  const { toParameters } = createColumnMapping([], []);
  const read = toParameters({
    ...FIELDS,
    feedback_id: 12,
    categories: "billing, bug|legal",
    send_response: "No",
    sentiment: "",
  });
  expect(read).toEqual({ ...FIELDS, feedback_id: "12", categories: ["billing", "bug", "legal"], send_response: false });
  expect(toParameters({ ...FIELDS, customer_id: 2 ** 53, send_response: "perhaps" })).toMatchObject({
    customer_id: 2 ** 53,
    send_response: "perhaps",
  });
});

test("leaves empty required fields for the workflow to refuse", () => {
  expect(createColumnMapping([], []).toParameters({ ...FIELDS, subject: "" })).toMatchObject({ subject: "" });
});

test.each([
  [["text"], [], "not of the form --map <field>=<column>"],
  [["text=a"], [], 'no field "text"'],
  [["subject=a", "subject=b"], [], "gives subject twice"],
  [["subject=a"], ["subject=b"], "by --map and by --set"],
  [[], ["subject="], "not of the form --set <field>=<value>"],
])("refuses --map %j --set %j", (map, set, message) => {
  expect(() => createColumnMapping(map, set)).toThrow(message);
});

test("refuses columns that can't make feedback", () => {
  const { check } = createColumnMapping(["feedback_text=text"], ["subject=Hi"]);
  expect(() => check(["customer_id", "body"])).toThrow('no column "text". It has: customer_id, body.');
  expect(() => check(["text"])).toThrow('no column "customer_id"');
  check(["text", "customer_id"]);
});
