import { expect, test } from "vitest";
import { createColumnMapping } from "../../../cli/commands/batch/column-mapping.ts";

const FIELDS = { customer_id: "C-1", subject: "Hi", feedback_text: "Well." };

test("reads columns with the fields' names, and ignores others", () => {
  const { toParameters } = createColumnMapping([], []);
  expect(toParameters({ ...FIELDS, stars: 5, __proto__: { sentiment: "positive" } })).toEqual(FIELDS);
});

test("finds columns with the fields' names in other spellings", () => {
  const { check, toParameters, warningOf } = createColumnMapping(["feedback_text=Comment"], []);
  check(["Customer ID", "Comment", "Feedback Text"]);
  const row = { "Customer ID": "C-1", Comment: "Well.", SUBJECT: "Hi", sendResponse: false, "Feedback Text": "no" };
  expect(toParameters(row)).toEqual({ ...FIELDS, send_response: false });
  expect(toParameters({ subject: "Hi", Subject: "no" })).toEqual({ subject: "Hi" });
  expect(warningOf("sendResponse")).toBeUndefined();
  expect(warningOf("Feedback Text")).toMatch(/not read/);
});

test("ignores labels in other spellings, because they often mean something else", () => {
  const { toParameters, warningOf } = createColumnMapping([], []);
  expect(toParameters({ ...FIELDS, Sentiment: "Mixed", Categories: "Shipping" })).toEqual(FIELDS);
  expect(warningOf("Sentiment")).toMatch(/--map sentiment=/);
});

test.each([
  [[], ["customer_id", "feedback_text", "feedback_text"], "2 columns for feedback_text: feedback_text, feedback_text."],
  [[], ["customer_id", "feedback_text", "Customer ID"], "2 columns for customer_id: customer_id, Customer ID."],
  [["subject=title"], ["title", "customer_id", "title", "feedback_text"], "2 columns for subject: title, title."],
])("with --map %j refuses a file with the columns %j", (map, names, message) => {
  expect(() => createColumnMapping(map, []).check(names)).toThrow(message);
});

test("accepts two columns for a field that is set as a constant or mapped elsewhere", () => {
  const { check } = createColumnMapping(["subject=title"], ["customer_id=C-1"]);
  const names = ["customer_id", "customer_id", "feedback_text", "title", "subject", "Subject"];
  expect(() => check(names)).not.toThrow();
});

test("prefers mapped columns and constants to columns of the same name", () => {
  const { toParameters } = createColumnMapping(["feedback_text=text=body"], ["customer_id=C-9", "sentiment=a = b"]);
  expect(toParameters({ ...FIELDS, sentiment: "c", "text=body": "Good." })).toEqual({
    customer_id: "C-9",
    subject: "Hi",
    sentiment: "a = b",
    feedback_text: "Good.",
  });
});

test("interprets the values of a text file", () => {
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
  expect(createColumnMapping([], []).toParameters({ ...FIELDS, feedback_text: "" })).toMatchObject({
    feedback_text: "",
  });
});

test.each([{}, { subject: "" }, { subject: " \u00a0\u200b" }, { subject: null }])(
  "a row without a subject (%j) gets the configured one, or the default",
  (row) => {
    const subjectOf = (map: string[], set: string[], values: object): unknown =>
      createColumnMapping(map, set).toParameters({ customer_id: "C-1", feedback_text: "Well.", ...values })["subject"];
    expect(subjectOf([], [], row)).toBe("Your feedback");
    expect(subjectOf([], ["subject=Your review"], row)).toBe("Your review");
    expect(subjectOf(["subject=title"], ["subject=Your review"], { ...row, title: " " })).toBe("Your review");
    expect(subjectOf(["subject=title"], ["subject=Your review"], { ...row, title: "Hi" })).toBe("Hi");
    expect(subjectOf([], ["subject=Your review"], { subject: "Hi" })).toBe("Hi");
  },
);

test("a file needs no column for subjects", () => {
  const { check } = createColumnMapping(["feedback_text=text", "customer_id=customer"], []);
  check(["text", "customer", "stars"]);
  expect(() => createColumnMapping(["subject=title"], []).check(["customer_id", "feedback_text"])).toThrow(
    'no column "title"',
  );
});

test("warns about unread columns that may mean a field, or who must not be contacted", () => {
  const { warningOf } = createColumnMapping(["feedback_text=text"], []);
  expect(warningOf("send_respons")).toMatch(/not read.* send_response/);
  expect(warningOf("Customer ID number")).toMatch(/--map customer_id=/);
  expect(warningOf("opt_out")).toMatch(/customer data \(do_not_contact\)/);
  for (const column of ["text", "customer_id", "stars", "constructor"]) expect(warningOf(column)).toBeUndefined();
});

test.each(["constructor", "toString", "__proto__"])("reads the text %s just as text", (word) => {
  const values = { ...FIELDS, send_response: word };
  expect(createColumnMapping([], []).toParameters(values)).toMatchObject({ send_response: word });
});

test.each([
  [["text"], [], "not of the form --map <field>=<column>"],
  [["text=a"], [], 'no field "text"'],
  [["subject=a", "subject=b"], [], "gives subject twice"],
  [["sentiment=a"], ["sentiment=b"], "by --map and by --set"],
  [[], ["subject="], "not of the form --set <field>=<value>"],
])("refuses --map %j --set %j", (map, set, message) => {
  expect(() => createColumnMapping(map, set)).toThrow(message);
});

test("refuses columns that are not enough for feedback", () => {
  const { check } = createColumnMapping(["feedback_text=text"], ["subject=Hi"]);
  expect(() => check(["customer_id", "body"])).toThrow('no column "text". It has: customer_id, body.');
  expect(() => check(["text"])).toThrow('no column "customer_id"');
  check(["text", "customer_id"]);
});
