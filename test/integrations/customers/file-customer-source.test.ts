import { rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { IoError, ValidationError } from "../../../src/errors.ts";
import { createCustomerSource } from "../../../src/integrations/customers/create-customer-source.ts";
import type { CustomerIssue, CustomerRecord } from "../../../src/integrations/customers/customer-source.ts";
import { FileCustomerSource } from "../../../src/integrations/customers/file-customer-source.ts";
import { HttpCustomerSource } from "../../../src/integrations/customers/http-customer-source.ts";
import { temporaryFolder } from "../../support/folder.ts";

const request = { includeTransactions: false, includeInteractions: true };

async function sourceOf(name: string, content: string | Buffer): Promise<{ source: FileCustomerSource; path: string }> {
  const path = join(temporaryFolder(), name);
  await writeFile(path, content);
  return { source: new FileCustomerSource(path), path };
}

async function listAll(source: FileCustomerSource) {
  const records: CustomerRecord[] = [];
  const issues: CustomerIssue[] = [];
  for await (const record of source.list({ ...request, onIssue: (issue) => issues.push(issue) })) records.push(record);
  return { records, issues };
}

const read = async (name: string, content: string | Buffer) => listAll((await sourceOf(name, content)).source);

const ADA = { id: "C-1", name: "Ada", email: "ada@example.com", segment: "premium", lifetime_value: 100.5 };
const BO = { id: "C-2", name: "Bo" };

describe("FileCustomerSource", () => {
  test.each([
    ["customers.json", JSON.stringify([ADA, BO])],
    ["customers.JSON", JSON.stringify([ADA, BO], null, 2)],
    ["customers.jsonl", `${JSON.stringify(ADA)}\n\n${JSON.stringify(BO)}\n`],
    ["customers.ndjson", `${JSON.stringify(ADA)}\r\n${JSON.stringify(BO)}`],
    ["customers.csv", "id,name,email,segment,lifetimeValue\nC-1,Ada,ada@example.com,premium,100.5\nC-2,Bo,,,\n"],
    ["excel.csv", "id;Name;E-Mail;Segment;Lifetime Value\r\nC-1;Ada;ada@example.com;premium;100.5\r\nC-2;Bo;;;\r\n"],
    [
      "customers.tsv",
      "id\tname\temail\tsegment\tlifetime_value\nC-1\tAda\tada@example.com\tpremium\t100.5\nC-2\tBo\t\t\t",
    ],
  ])("reads %s, with and without a byte order mark", async (name, text) => {
    for (const content of [text, `\uFEFF${text}`]) {
      expect(await read(name, content)).toEqual({ records: [ADA, BO], issues: [] });
    }
  });

  test("finds no customers in an empty array, an empty list of lines or a header alone", async () => {
    expect((await read("a.json", " [ ] ")).records).toEqual([]);
    expect((await read("a.jsonl", "")).records).toEqual([]);
    expect((await read("a.csv", "id,name\n")).records).toEqual([]);
  });

  test("refuses other endings at once, and names the ones it knows", () => {
    expect(() => new FileCustomerSource("customers.xlsx")).toThrow(
      'The customer file "customers.xlsx" must end in .csv, .tsv, .jsonl, .ndjson or .json.',
    );
  });

  test("is what createCustomerSource returns for a path or a file URL", async () => {
    const { path } = await sourceOf("customers with space.json", JSON.stringify([ADA]));
    expect(await createCustomerSource(path).get("C-1", request)).toEqual(ADA);
    expect(await createCustomerSource(pathToFileURL(path).href).get("C-1", request)).toEqual(ADA);
    expect(createCustomerSource("https://crm.example.com/{id}")).toBeInstanceOf(HttpCustomerSource);
    expect(() => createCustomerSource("file://elsewhere/customers.json%2F")).toThrow(ValidationError);
  });
});

describe("in hostile CSV,", () => {
  test("quoted line ends, separators and quotes belong to the value; lines are counted through them", async () => {
    const text =
      'id,name\r\nC-1,"Ada\r\nof ""Lovelace"", Countess"\r\n\r\nC-2,Bo,too many\r\nC-3\r\n"C-4","""so"" he said"\r\n';
    expect(await read("a.csv", text)).toEqual({
      records: [
        { id: "C-1", name: 'Ada\r\nof "Lovelace", Countess' },
        { id: "C-4", name: '"so" he said' },
      ],
      issues: [
        { place: "line 5", id: "C-2", message: "has 3 columns where the first line has 2", skipped: true },
        { place: "line 6", id: "C-3", message: "has 1 column where the first line has 2", skipped: true },
      ],
    });
  });

  test("a row with broken quotes is reported and affects no row that it does not swallow", async () => {
    const { records, issues } = await read(
      "a.csv",
      'id,name,segment\nC-1,"Dwayne "Rock" J",x\nC-2,Bo,y\nC-3,"open,y\nC-4,"Di",y\nC-5,Ed,y\n',
    );
    expect(records.map(({ id }) => id)).toEqual(["C-2", "C-4", "C-5"]);
    expect(issues).toMatchObject([
      { place: "line 2", id: "C-1", message: expect.stringContaining("broken quotes"), skipped: true },
      { place: "line 4", id: "C-3", message: expect.stringContaining("broken quotes"), skipped: true },
    ]);
  });

  test("a quote that is never closed affects only its own row, and every other customer can be looked up", async () => {
    const { source } = await sourceOf("a.csv", 'id,name\nC-1,Ada\nC-2,"Bo\nC-3,Cy\n');
    const { records, issues } = await listAll(source);
    expect(records).toEqual([
      { id: "C-1", name: "Ada" },
      { id: "C-3", name: "Cy" },
    ]);
    expect(issues).toMatchObject([{ place: "line 3", id: "C-2", message: expect.stringContaining("broken quotes") }]);
    expect(await source.get("C-1", request)).toEqual({ id: "C-1", name: "Ada" });
    expect(await source.get("C-3", request)).toEqual({ id: "C-3", name: "Cy" });
    await expect(source.get("C-2", request)).rejects.toThrow("line 3: has broken quotes");
  });

  test("a row longer than a million characters is skipped, and the others are read", async () => {
    for (const value of ["x".repeat(1_100_000), `"${"x\n".repeat(550_000)}"`]) {
      const { source } = await sourceOf("a.csv", `id,name\nC-1,${value}\nC-2,Bo\n`);
      const { records, issues } = await listAll(source);
      expect(records).toEqual([BO]);
      expect(issues).toMatchObject([
        { place: "line 2", message: expect.stringContaining("is longer than"), skipped: true },
      ]);
      expect(await source.get("C-2", request)).toEqual(BO);
    }
  });

  test("without an id column, the error names the expected columns", async () => {
    await expect(read("a.csv", "nummer,name\n1,Ada\n")).rejects.toThrow(/names its columns, among them id/);
    await expect(read("a.csv", "")).rejects.toThrow(/names its columns/);
  });

  test("line ends may be mixed", async () => {
    expect((await read("a.csv", "id,name\r\nC-1,Ada\nC-2,Bo\r\nC-3,Cy")).records).toHaveLength(3);
  });

  test("one column needs no separator", async () => {
    expect((await read("a.csv", "id\nC-1\nC-2\n")).records).toEqual([{ id: "C-1" }, { id: "C-2" }]);
  });

  test("of two columns for one field, the first counts", async () => {
    expect((await read("a.csv", "id,name,Name\nC-1,Ada,Bo\n")).records).toEqual([{ id: "C-1", name: "Ada" }]);
  });

  test("a name in Latin-1 is reported instead of mailed with a question mark", async () => {
    const { records, issues } = await read("a.csv", Buffer.from("id,name\nC-1,M\xFCller\nC-2,Bo\n", "latin1"));
    expect(records).toEqual([{ id: "C-2", name: "Bo" }]);
    expect(issues).toMatchObject([{ place: "line 2", id: "C-1", message: expect.stringContaining("not UTF-8") }]);
  });
});

describe("in hostile JSON,", () => {
  test("elements and lines that are not customers are reported, and the others are read", async () => {
    const text = '[\n{"id":"C-1"},\n{"id":"C-2",},\n42,\n{"id":"C-3","name":"]}[,\\""},\nnull, [], {"name":"x"}\n]';
    const { records, issues } = await read("a.json", text);
    expect(records).toEqual([{ id: "C-1" }, { id: "C-3", name: ']}[,"' }]);
    expect(issues.map(({ place, message }) => `${place} ${message}`)).toEqual([
      "item 2 (line 3) is not valid JSON (line 3, column 13)",
      "item 3 (line 4) is not a JSON object",
      "item 5 (line 6) is not a JSON object",
      "item 6 (line 6) is not a JSON object",
      "item 7 (line 6) id must not be empty",
    ]);
  });

  test("a line separator within a string does not end the line", async () => {
    const bo = { id: "C-1", name: "Ada\u2028of\u2029London" };
    expect((await read("a.jsonl", JSON.stringify(bo))).records).toEqual([bo]);
  });

  test.each([
    ['{"id":"C-1"}', /must contain a JSON array/],
    ["", /must contain a JSON array/],
    ['[{"id":"C-1"}', /the file ends in the middle/],
    ['[{"id":"C-1"},\n{"id":"C-2', /line 2 on: the file ends in the middle/],
    ["[]\n[]", /line 2 on: there is more text after the end of the JSON array/],
  ])("the fault in the file %j causes a ValidationError that says where it is", async (text, message) => {
    const reading = read("a.json", text);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toBeInstanceOf(ValidationError);
  });

  test("an entry that is missing or longer than a million characters is skipped, and the others are read", async () => {
    const long = `{"id":"C-1","name":"${"x".repeat(1_100_000)}`;
    const { records, issues } = await read("a.jsonl", `{"id":"C-0"}\n${long}"}\n{"id":"C-2"}`);
    expect(records).toEqual([{ id: "C-0" }, { id: "C-2" }]);
    expect(issues).toMatchObject([
      { place: "line 2", message: expect.stringContaining("is longer than"), skipped: true },
    ]);
    const array = await read("a.json", `[{"id":"C-0"},\n${long}"},\n{"id":"C-2"},]`);
    expect(array.records).toEqual(records);
    expect(array.issues).toMatchObject([
      { place: "item 2 (line 2)", message: expect.stringContaining("is longer than"), skipped: true },
      { place: "item 4 (line 3)", message: "is missing beside a comma", skipped: true },
    ]);
  });

  test("a property called __proto__ is an ordinary property", async () => {
    expect((await read("a.json", '[{"id":"C-1","__proto__":{"name":"x"}}]')).records).toEqual([{ id: "C-1" }]);
  });
});

describe("numbers", () => {
  const valuesOf = async (...values: string[]) => {
    const { source } = await sourceOf(
      "a.tsv",
      `id\tlifetime_value\n${values.map((v, at) => `${at}\t${v}\n`).join("")}`,
    );
    const { records, issues } = await listAll(source);
    const found = await Promise.all(values.map((_, at) => source.get(String(at), request)));
    expect(found).toEqual(records);
    return { values: records.map(({ lifetime_value }) => lifetime_value), places: issues.map(({ place }) => place) };
  };

  test.each([
    ["a decimal comma further down", ["6.000", "12", "1.234,56"], [6000, 12, 1234.56]],
    ["a decimal comma above", ["99,5", "6.000", "6,000"], [99.5, 6000, 6]],
    ["two groups", ["1.234.567", "6.000"], [1_234_567, 6000]],
    ["a decimal point", ["6.000", "12.5", "6,000"], [6, 12.5, 6000]],
    ["an English number", ["6,000", "1,234.56"], [6000, 1234.56]],
  ])("that can be read in two ways are read like the others in the file: %s", async (_which, written, values) => {
    expect(await valuesOf(...written)).toEqual({ values, places: [] });
  });

  test.each([
    ["without any other", ["6.000", "12"], [null, 12]],
    ["where others contradict one another", ["12.5", "6.000", "12,5"], [12.5, null, 12.5]],
    ["where only a broken row shows it", ["6.000", "1,5\tx"], [null]],
  ])("are left out with an issue %s", async (_where, written, values) => {
    const { records, issues } = await read(
      "a.tsv",
      `id\tlifetime_value\n${written.map((value, at) => `${at}\t${value}\n`).join("")}`,
    );
    expect(records.map(({ lifetime_value }) => lifetime_value)).toEqual(values);
    expect(issues[0]).toMatchObject({ message: expect.stringContaining("in two ways"), skipped: false });
  });

  test("in JSON are exact, except in texts", async () => {
    const text =
      '[{"id":"1","lifetime_value":6.000},{"id":"2","lifetime_value":"6.000"},{"id":"3","lifetime_value":"1,5"}]';
    expect((await read("a.json", text)).records).toMatchObject([
      { lifetime_value: 6 },
      { lifetime_value: 6000 },
      { lifetime_value: 1.5 },
    ]);
  });
});

describe("columns", () => {
  const unreadOf = async (source: FileCustomerSource) => {
    const unread: [string, string | undefined][] = [];
    const onUnreadColumn = (column: string, similar?: string): void => void unread.push([column, similar]);
    const records = await Array.fromAsync(source.list({ ...request, onUnreadColumn }));
    return { records, unread };
  };

  test.each<[string, string | undefined]>([
    ...["do_not_contacts", "opt_out", "Opt-Out", "Unsubscribed?", "dnc", "no_mail", "Werbesperre", "consent"].map(
      (name): [string, string | undefined] => [name, "do_not_contact"],
    ),
    ["E-Mail-Adresse", "email"],
    ["emial", "email"],
    ["lifetime_valeu", "lifetime_value"],
    ["segmnet", "segment"],
    ["phone", undefined],
    ["constructor", undefined],
    ["Name", undefined],
  ])("that are not read are reported once, %s with the field that it may mean", async (column, similar) => {
    const expected = column === "Name" ? [] : [[column, similar]];
    const csv = await sourceOf("a.csv", `id,${column}\n1,x\n2,y\n`);
    expect((await unreadOf(csv.source)).unread).toEqual(expected);
    const json = await sourceOf(
      "a.jsonl",
      `{"id":"1",${JSON.stringify(column)}:1}\n{"id":"2",${JSON.stringify(column)}:1}\n`,
    );
    expect((await unreadOf(json.source)).unread).toEqual(expected);
    const unread: unknown[] = [];
    for (const id of ["1", "2"]) {
      await json.source.get(id, { ...request, onUnreadColumn: (...told) => unread.push(told) });
    }
    expect(unread).toEqual(expected);
  });

  test("of which a second one for a field is not read either, except for do_not_contact", async () => {
    const { source } = await sourceOf("a.csv", "id,email,E-Mail\n1,,a@example.com\n");
    expect((await unreadOf(source)).unread).toEqual([["E-Mail", "email"]]);
    const { source: objected } = await sourceOf("b.csv", "id,do_not_contact,Do Not Contact?\n1,no,yes\n");
    expect(await unreadOf(objected)).toEqual({ records: [{ id: "1", do_not_contact: true }], unread: [] });
    const { source: sameName } = await sourceOf("c.csv", "id,do_not_contact,do_not_contact\n1,,yes\n");
    expect((await unreadOf(sameName)).unread).toEqual([["do_not_contact", "do_not_contact"]]);
  });

  test("may be mapped to other names, and to paths in JSON", async () => {
    const fields = { id: "Kunden-Nr.", email: "contact.mail", do_not_contact: "opt_out" };
    const csv = await sourceOf("a.csv", "Kunden-Nr.;id;contact.mail;opt_out;x\n7;1;a@example.com;ja;y\n");
    const expected = { id: "7", email: "a@example.com", do_not_contact: true };
    expect(await unreadOf(new FileCustomerSource(csv.path, { fields }))).toEqual({
      records: [expected],
      unread: [
        ["id", "id"],
        ["x", undefined],
      ],
    });
    const json = await sourceOf("a.json", '[{"Kunden-Nr.":7,"contact":{"mail":"a@example.com"},"opt_out":1}]');
    expect(await unreadOf(new FileCustomerSource(json.path, { fields }))).toEqual({ records: [expected], unread: [] });
  });

  test("that are mapped must exist", async () => {
    const csv = await sourceOf("a.csv", "id,opt_out\n1,ja\n");
    const fields = { do_not_contact: "optout" };
    await expect(unreadOf(new FileCustomerSource(csv.path, { fields }))).rejects.toThrow(
      'has no column "optout". It has: id, opt_out.',
    );
    const json = await sourceOf("a.jsonl", '{"id":"1","opt_out":1}');
    const issues: CustomerIssue[] = [];
    const list = new FileCustomerSource(json.path, { fields }).list({
      ...request,
      onIssue: (issue) => issues.push(issue),
    });
    expect(await Array.fromAsync(list)).toEqual([{ id: "1" }]);
    expect(issues).toEqual([
      { place: "every row", message: 'there is no "optout", which was mapped to do_not_contact', skipped: false },
    ]);
  });
});

describe("get", () => {
  test("finds one customer, and undefined for an unknown id", async () => {
    const { source } = await sourceOf("a.json", JSON.stringify([ADA, BO]));
    expect(await source.get("C-2", request)).toEqual(BO);
    expect(await source.get("C-9", request)).toBeUndefined();
    expect(await source.get("__proto__", request)).toBeUndefined();
  });

  test("returns the last valid row of an id", async () => {
    const { source } = await sourceOf("a.csv", "id,name,do_not_contact\nC-1,old,\nC-1,new,\nC-1,bad\n");
    expect(await source.get("C-1", request)).toEqual({ id: "C-1", name: "new" });
  });

  test("keeps an objection if later rows of the id don't mention it", async () => {
    const rows = ["C-1,old,yes", "C-1,new,", "C-1,newer,", "C-2,old,yes", "C-2,new,no"];
    const { source } = await sourceOf("a.csv", `id,name,do_not_contact\n${rows.join("\n")}\n`);
    expect(await source.get("C-1", request)).toEqual({ id: "C-1", name: "newer", do_not_contact: true });
    expect(await source.get("C-2", request)).toEqual({ id: "C-2", name: "new", do_not_contact: false });
  });

  test("fails with a ValidationError that names the line if a customer's only row is invalid", async () => {
    const { source } = await sourceOf("a.csv", "id,do_not_contact\nC-1,yes\nC-2,no,x\n");
    await expect(source.get("C-2", request)).rejects.toMatchObject({
      code: "customer_invalid",
      message: expect.stringContaining("line 3: has 3 columns where the first line has 2"),
    });
    expect(await source.get("C-1", request)).toEqual({ id: "C-1", do_not_contact: true });
  });

  test("reports a lifetime value that was left out", async () => {
    const { source } = await sourceOf("a.csv", 'id,lifetime_value\nC-1,"12,500.00.00"\n');
    const issues: CustomerIssue[] = [];
    const record = await source.get("C-1", { ...request, onIssue: (issue) => issues.push(issue) });
    expect(record).toEqual({ id: "C-1", lifetime_value: null });
    expect(issues).toMatchObject([{ id: "C-1", skipped: false }]);
  });

  test("reads the file again when it has changed, even if its size is the same", async () => {
    const { source, path } = await sourceOf("a.jsonl", '{"id":"C-1","name":"Ada"}');
    expect(await source.get("C-1", request)).toMatchObject({ name: "Ada" });
    await writeFile(path, '{"id":"C-1","name":"Bob"}');
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    expect(await source.get("C-1", request)).toMatchObject({ name: "Bob" });
    const next = `${path}.new`;
    await writeFile(next, '{"id":"C-1","name":"Cid"}');
    const { atime, mtime } = await stat(path);
    await utimes(next, atime, mtime);
    await rename(next, path);
    expect(await source.get("C-1", request)).toMatchObject({ name: "Cid" });
  });

  test("fails with an IoError that names a missing file but not the folder, and finds the file once it exists", async () => {
    const { source, path } = await sourceOf("crm.json", "[]");
    await rm(path);
    const error = await source.get("C-1", request).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(IoError);
    expect(error).toMatchObject({
      code: "customer_file_unreadable",
      message:
        'The customer file "crm.json" can\'t be read. Check that it exists and may be read, or configure another one.',
    });
    await expect(listAll(source)).rejects.toBeInstanceOf(IoError);
    await writeFile(path, JSON.stringify([ADA]));
    expect(await source.get("C-1", request)).toEqual(ADA);
  });

  test("reads a broken file again once it is complete", async () => {
    const { source, path } = await sourceOf("a.json", '[{"id":"C-1"}');
    await expect(source.get("C-1", request)).rejects.toBeInstanceOf(ValidationError);
    await writeFile(path, '[{"id":"C-1"}]');
    expect(await source.get("C-1", request)).toEqual({ id: "C-1" });
  });

  test("stops when the signal aborts", async () => {
    const { source } = await sourceOf("a.json", JSON.stringify([ADA]));
    await expect(source.get("C-1", { ...request, signal: AbortSignal.abort("stop") })).rejects.toBe("stop");
    const list = source.list({ ...request, signal: AbortSignal.abort("stop") });
    await expect(list[Symbol.asyncIterator]().next()).rejects.toBe("stop");
  });
});

test.each([
  ["customers.json", '[{"id": "C-1", "name": "Ada",, }, {"id": "C-2"}]', "item 1 (line 1)"],
  ["customers.jsonl", '{"id": "C-2"}\n{"id": "C-1",\n', "line 2"],
  ["customers.csv", 'id,name\n"C-1,Ada\nC-2,Bo\n', "line 2"],
])(
  "a row that can't be read is reported once to callers that look for a customer: %s",
  async (name, content, place) => {
    const { source } = await sourceOf(name, content);
    const issues: CustomerIssue[] = [];
    const onIssue = (issue: CustomerIssue): void => void issues.push(issue);
    expect(await source.get("C-1", { ...request, onIssue })).toBeUndefined();
    expect(await source.get("C-2", { ...request, onIssue })).toMatchObject({ id: "C-2" });
    expect(issues).toMatchObject([{ place, skipped: true }]);
  },
);
