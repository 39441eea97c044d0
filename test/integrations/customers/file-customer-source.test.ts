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

describe("formats", () => {
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

  test("an empty array, an empty list of lines and a header alone hold nobody", async () => {
    expect((await read("a.json", " [ ] ")).records).toEqual([]);
    expect((await read("a.jsonl", "")).records).toEqual([]);
    expect((await read("a.csv", "id,name\n")).records).toEqual([]);
  });

  test("refuses other endings at once, and names the ones it knows", () => {
    expect(() => new FileCustomerSource("customers.xlsx")).toThrow(
      'The customer file "customers.xlsx" must end in .csv, .tsv, .jsonl, .ndjson or .json.',
    );
  });

  test("createCustomerSource chooses by location", async () => {
    const { path } = await sourceOf("customers with space.json", JSON.stringify([ADA]));
    expect(await createCustomerSource(path).get("C-1", request)).toEqual(ADA);
    expect(await createCustomerSource(pathToFileURL(path).href).get("C-1", request)).toEqual(ADA);
    expect(createCustomerSource("https://crm.example.com/{id}")).toBeInstanceOf(HttpCustomerSource);
    expect(() => createCustomerSource("file://elsewhere/customers.json%2F")).toThrow(ValidationError);
  });
});

describe("hostile CSV", () => {
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
        { place: "line 6", id: "C-3", message: "has 1 columns where the first line has 2", skipped: true },
      ],
    });
  });

  test("a row with broken quotes is reported and spoils no row it does not swallow", async () => {
    const { records, issues } = await read(
      "a.csv",
      'id,name,segment\nC-1,"Dwayne "Rock" J",x\nC-2,Bo,y\nC-3,"open,y\nC-4,"Di",y\nC-5,Ed,y\n',
    );
    expect(records.map(({ id }) => id)).toEqual(["C-2", "C-5"]);
    expect(issues).toMatchObject([
      { place: "line 2", id: "C-1", message: expect.stringContaining("broken quotes"), skipped: true },
      { place: "line 4", id: "C-3", message: expect.stringContaining("broken quotes"), skipped: true },
    ]);
  });

  test("a quote that is never closed ends the reading with the line, instead of losing the rest", async () => {
    await expect(read("a.csv", 'id,name\nC-1,Ada\nC-2,"Bo\nC-3,Cy\n')).rejects.toThrow(
      "The customer file can't be read from line 3 on: a quote is not closed",
    );
  });

  test("a value longer than a million characters is no customer", async () => {
    await expect(read("a.csv", `id,name\nC-1,${"x".repeat(1_100_000)}\nC-2,Bo\n`)).rejects.toThrow("from line 2 on");
  });

  test("without an id column it says which columns there are to be", async () => {
    await expect(read("a.csv", "nummer,name\n1,Ada\n")).rejects.toThrow(/names its columns, among them id/);
    await expect(read("a.csv", "")).rejects.toThrow(/names its columns/);
  });

  test("line ends may be mixed", async () => {
    expect((await read("a.csv", "id,name\r\nC-1,Ada\nC-2,Bo\r\nC-3,Cy")).records).toHaveLength(3);
  });

  test("one column needs no separator", async () => {
    expect((await read("a.csv", "id\nC-1\nC-2\n")).records).toEqual([{ id: "C-1" }, { id: "C-2" }]);
  });

  test("of two columns for one field the first counts", async () => {
    expect((await read("a.csv", "id,name,Name\nC-1,Ada,Bo\n")).records).toEqual([{ id: "C-1", name: "Ada" }]);
  });

  test("a name in Latin-1 is reported, not mailed with a question mark", async () => {
    const { records, issues } = await read("a.csv", Buffer.from("id,name\nC-1,M\xFCller\nC-2,Bo\n", "latin1"));
    expect(records).toEqual([{ id: "C-2", name: "Bo" }]);
    expect(issues).toMatchObject([{ place: "line 2", id: "C-1", message: expect.stringContaining("not UTF-8") }]);
  });
});

describe("hostile JSON", () => {
  test("elements and lines that are no customer are reported, the others taken", async () => {
    const text = '[\n{"id":"C-1"},\n{"id":"C-2",},\n42,\n{"id":"C-3","name":"]}[,\\""},\nnull, [], {"name":"x"}\n]';
    const { records, issues } = await read("a.json", text);
    expect(records).toEqual([{ id: "C-1" }, { id: "C-3", name: ']}[,"' }]);
    expect(issues.map(({ place, message }) => `${place} ${message}`)).toEqual([
      "line 3 is not valid JSON",
      "line 4 is not a JSON object",
      "line 6 is not a JSON object",
      "line 6 is not a JSON object",
      "line 6 id must not be empty",
    ]);
  });

  test("a line separator within a string does not end the line", async () => {
    const bo = { id: "C-1", name: "Ada\u2028of\u2029London" };
    expect((await read("a.jsonl", JSON.stringify(bo))).records).toEqual([bo]);
  });

  test.each([
    ['{"id":"C-1"}', /must hold a JSON array/],
    ["", /must hold a JSON array/],
    ['[{"id":"C-1"}', /it ends in the middle/],
    ['[{"id":"C-1"},\n{"id":"C-2', /line 2 on: it ends in the middle/],
    ['[{"id":"C-1"},]', /missing beside a comma/],
    ['[,{"id":"C-1"}]', /missing beside a comma/],
    ["[]\n[]", /line 2 on: the JSON array has ended/],
  ])("the broken file %j is a ValidationError that says where", async (text, message) => {
    const reading = read("a.json", text);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toBeInstanceOf(ValidationError);
  });

  test("an entry longer than a million characters is a broken file, not a customer", async () => {
    const long = `{"id":"C-1","name":"${"x".repeat(1_100_000)}`;
    const { records, issues } = await read("a.jsonl", `{"id":"C-0"}\n${long}"}\n{"id":"C-2"}`);
    expect(records).toEqual([{ id: "C-0" }, { id: "C-2" }]);
    expect(issues).toMatchObject([
      { place: "line 2", message: expect.stringContaining("is longer than"), skipped: true },
    ]);
    await expect(read("a.json", `[{"id":"C-0"},\n${long}"}]`)).rejects.toThrow("from line 2 on: a quote or bracket");
  });

  test("a property called __proto__ is nothing special", async () => {
    expect((await read("a.json", '[{"id":"C-1","__proto__":{"name":"x"}}]')).records).toEqual([{ id: "C-1" }]);
  });
});

describe("get", () => {
  test("finds one customer, and undefined for an unknown id", async () => {
    const { source } = await sourceOf("a.json", JSON.stringify([ADA, BO]));
    expect(await source.get("C-2", request)).toEqual(BO);
    expect(await source.get("C-9", request)).toBeUndefined();
    expect(await source.get("__proto__", request)).toBeUndefined();
  });

  test("the last good row of an id counts", async () => {
    const { source } = await sourceOf("a.csv", "id,name,do_not_contact\nC-1,old,\nC-1,new,\nC-1,bad,maybe\n");
    expect(await source.get("C-1", request)).toEqual({ id: "C-1", name: "new" });
  });

  test("a customer whose only row is bad is a ValidationError with the line", async () => {
    const { source } = await sourceOf("a.csv", "id,do_not_contact\nC-1,yes\nC-2,maybe\n");
    await expect(source.get("C-2", request)).rejects.toMatchObject({
      code: "customer_invalid",
      message: expect.stringContaining("line 3: do_not_contact must be true or false"),
    });
    expect(await source.get("C-1", request)).toEqual({ id: "C-1", do_not_contact: true });
  });

  test("tells of a lifetime value that was left out", async () => {
    const { source } = await sourceOf("a.csv", 'id,lifetime_value\nC-1,"12,500.00"\n');
    const issues: CustomerIssue[] = [];
    expect(await source.get("C-1", { ...request, onIssue: (issue) => issues.push(issue) })).toEqual({ id: "C-1" });
    expect(issues).toMatchObject([{ id: "C-1", skipped: false }]);
  });

  test("reads the file again when it has changed, also when size stays the same", async () => {
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

  test("a missing file is an IoError that names the file and not the folder, and is found once it is there", async () => {
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

  test("a file that was broken is read again once it is whole", async () => {
    const { source, path } = await sourceOf("a.json", '[{"id":"C-1"}');
    await expect(source.get("C-1", request)).rejects.toBeInstanceOf(ValidationError);
    await writeFile(path, '[{"id":"C-1"}]');
    expect(await source.get("C-1", request)).toEqual({ id: "C-1" });
  });

  test("honours an abort", async () => {
    const { source } = await sourceOf("a.json", JSON.stringify([ADA]));
    await expect(source.get("C-1", { ...request, signal: AbortSignal.abort("stop") })).rejects.toBe("stop");
    const list = source.list({ ...request, signal: AbortSignal.abort("stop") });
    await expect(list[Symbol.asyncIterator]().next()).rejects.toBe("stop");
  });
});
