import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCustomerSource } from "../../../src/integrations/customers/create-customer-source.ts";
import type { CustomerIssue, CustomerRecord } from "../../../src/integrations/customers/customer-source.ts";
import {
  HttpCustomerSource,
  type HttpCustomerSourceOptions,
} from "../../../src/integrations/customers/http-customer-source.ts";
import { UrlTemplate } from "../../../src/integrations/customers/url-template.ts";
import { serve, type Reply, type ScriptedServer } from "../../support/http.ts";

const request = { includeTransactions: false, includeInteractions: true };

type Options = Omit<Partial<HttpCustomerSourceOptions>, "url" | "listUrl"> & { path?: string; listPath?: string };

function sourceOf(server: ScriptedServer, { path = "/customers/{id}", listPath, ...options }: Options = {}) {
  const listUrl = listPath === undefined ? {} : { listUrl: server.origin + listPath };
  return new HttpCustomerSource({ url: server.origin + path, ...listUrl, ...options });
}

/** Answers as a directory would: with the last path segment as the record's id. */
const directory: Reply = ({ path }, response) =>
  void response.end(JSON.stringify({ id: decodeURIComponent(path.split("/").at(-1) ?? "") }));

describe("get", () => {
  test("reads a customer, with the requested extras in the query and the credentials in the headers", async () => {
    const server = await serve({ json: { id: "C-1", name: "Ada", lifetimeValue: 7000, extra: [1] } });
    const source = sourceOf(server, {
      path: "/api/{id}?transactions={include_transactions}&interactions={include_interactions}",
      token: "abc",
      headers: { "x-tenant": "t1" },
    });
    expect(await source.get("C-1", request)).toEqual({ id: "C-1", name: "Ada", lifetime_value: 7000 });
    expect(server.requests).toMatchObject([
      {
        method: "GET",
        path: "/api/C-1?transactions=false&interactions=true",
        headers: { authorization: "Bearer abc", "x-tenant": "t1" },
      },
    ]);
  });

  test("maps fields by dotted paths, even into arrays, but never to inherited properties", async () => {
    const json = { customerId: 42, contact: { emails: ["ada@example.com"] }, name: "Ada" };
    const server = await serve({ json });
    const source = sourceOf(server, {
      fields: { id: "customerId", email: "contact.emails.0", segment: "toString" },
    });
    expect(await source.get("42", request)).toEqual({ id: "42", email: "ada@example.com", name: "Ada" });
  });

  test.each([404, 410])("treats HTTP %i as an unknown customer", async (status) => {
    const server = await serve({ status, body: "<html>" });
    expect(await sourceOf(server).get("C-1", request)).toBeUndefined();
  });

  test("uses the requested id if the answer has none", async () => {
    const server = await serve({ json: { name: "Ada" } });
    expect(await sourceOf(server).get("C-1", request)).toEqual({ id: "C-1", name: "Ada" });
  });

  test("refuses a customer other than the requested one", async () => {
    const server = await serve({ json: { id: "C-2", email: "bo@example.com" } });
    await expect(sourceOf(server).get("C-1", request)).rejects.toMatchObject({
      type: "validation_error",
      message: "Asked for customer C-1, the customer source answered with another one.",
    });
  });

  test.each([
    ["not JSON", { body: "<html>login</html>" }],
    ["cut off JSON", { body: '{"id":"C-1"' }],
    ["a wrong type", { json: { id: "C-1", email: { a: 1 } } }],
    ["a refusal", { status: 422, body: "secret reason" }],
  ])("fails with a ValidationError that quotes nothing, without a retry, on an answer with %s", async (_, reply) => {
    const server = await serve(reply);
    const error: unknown = await sourceOf(server)
      .get("C-1", request)
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ type: "validation_error", message: expect.not.stringMatching(/html|secret|\{/) });
    expect(server.requests).toHaveLength(1);
  });

  test.each([401, 403, 501])("treats HTTP %i as a fault in our settings, which the log explains", async (status) => {
    const server = await serve({ status, body: "secret reason" });
    await expect(sourceOf(server).get("C-1", request)).rejects.toMatchObject({
      type: "unexpected_error",
      code: "customer_source_refused",
      message: expect.not.stringContaining("URL"),
      cause: expect.objectContaining({ message: expect.stringContaining(`HTTP ${status}`) }),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("reports a lifetime value that is not a number", async () => {
    const server = await serve({ json: { id: "C-1", lifetime_value: "lots" } });
    const issues: CustomerIssue[] = [];
    const record = await sourceOf(server).get("C-1", { ...request, onIssue: (issue) => issues.push(issue) });
    expect(record).toEqual({ id: "C-1", lifetime_value: null });
    expect(issues).toMatchObject([{ place: "answer", id: "C-1", skipped: false }]);
  });

  test("retries a failing source, and then fails with an IoError", async () => {
    const server = await serve({ status: 500 }, { json: { id: "C-1" } });
    expect(await sourceOf(server).get("C-1", request)).toEqual({ id: "C-1" });
    const down = await serve({ status: 503 });
    await expect(sourceOf(down, { retries: 1 }).get("C-1", request)).rejects.toMatchObject({ type: "io_error" });
    expect(down.requests).toHaveLength(2);
  });

  test("fails with an IoError after the time-out of a slow source", async () => {
    const server = await serve(() => {});
    const source = sourceOf(server, { timeoutMs: 50, retries: 0 });
    await expect(source.get("C-1", request)).rejects.toMatchObject({ type: "io_error", code: "timeout" });
  });

  test("refuses an answer of more than a megabyte", async () => {
    const server = await serve({ json: { id: "C-1", name: "x".repeat(1_000_000) } });
    await expect(sourceOf(server).get("C-1", request)).rejects.toMatchObject({ code: "answer_too_long" });
  });
});

describe("hostile ids", () => {
  test.each([
    "../admin",
    "C?admin=1",
    "C#x",
    "%00",
    "%2e%2e",
    "a/b",
    "a\\b",
    "{include_transactions}",
    "ü 😀",
    "@evil",
    "//evil",
  ])("stay one path segment: %s", async (id) => {
    const server = await serve(directory);
    expect(await sourceOf(server).get(id, request)).toEqual({ id });
    expect(server.requests[0]?.path).toBe(`/customers/${encodeURIComponent(id)}`);
  });

  test.each([".", "..", "\ud800"])("are unknown customers if they can't be part of a URL: %j", async (id) => {
    const server = await serve(directory);
    expect(await sourceOf(server).get(id, request)).toBeUndefined();
    expect(server.requests).toHaveLength(0);
  });

  test("never change other parts of the URL", () => {
    const template = new UrlTemplate("https://crm.example.com/a/{id}/b?q={id}#f", ["id"]);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (id) => {
        const url = template.expand({ id });
        const possible = id !== "." && id !== ".." && id.isWellFormed();
        const parts = url && [url.origin, ...url.pathname.split("/").map(decodeURIComponent), ...url.searchParams];
        expect(parts).toEqual(possible ? ["https://crm.example.com", "", "a", id, "b", ["q", id]] : undefined);
      }),
      { examples: [["."], [".."], ["../x"], ["?#&="], [""]] },
    );
  });
});

describe("HttpCustomerSource", () => {
  test.each([
    "crm/{id}",
    "ftp://crm.example.com/{id}",
    "https://crm.example.com/customers",
    "https://crm.example.com/customers#{id}",
    "https://{id}.example.com/{id}",
    "https://crm.example.com/{id}/{secret}",
  ])("refuses the URL %s at once", (url) => {
    expect(() => new HttpCustomerSource({ url })).toThrow(/URL of the customer source must/);
  });

  test("refuses a list on another server", () => {
    const url = "https://crm.example.com/{id}";
    expect(() => new HttpCustomerSource({ url, listUrl: "https://evil.example.com/" })).toThrow(/on one server/);
  });
});

describe("list", () => {
  async function listAll(source: HttpCustomerSource) {
    const records: CustomerRecord[] = [];
    const issues: CustomerIssue[] = [];
    for await (const record of source.list({ ...request, onIssue: (issue) => issues.push(issue) }))
      records.push(record);
    return { ids: records.map(({ id }) => id), issues };
  }

  test("reads one page that is an array", async () => {
    const server = await serve({ json: [{ id: "C-1" }, { id: "C-2" }] });
    expect((await listAll(sourceOf(server, { listPath: "/all" }))).ids).toEqual(["C-1", "C-2"]);
    expect(server.requests).toHaveLength(1);
  });

  test("follows relative and absolute pages one after the other, as they are needed", async () => {
    const server = await serve(
      { json: { items: [{ id: "C-1" }], next: "?page=2" } },
      (_, response) =>
        void response.end(JSON.stringify({ items: [{ id: "C-2" }], next: `${server.origin}/all?page=3` })),
      { json: { items: [{ id: "C-3" }], next: null } },
    );
    const iterator = sourceOf(server, { listPath: "/all" }).list(request)[Symbol.asyncIterator]();
    await iterator.next();
    expect(server.requests).toHaveLength(1);
    await iterator.next();
    expect((await iterator.next()).value).toEqual({ id: "C-3" });
    expect((await iterator.next()).done).toBe(true);
    expect(server.requests.map(({ path }) => path)).toEqual(["/all", "/all?page=2", "/all?page=3"]);
  });

  test("finds items and the next page at the configured paths", async () => {
    const server = await serve(
      { json: { data: { rows: [{ id: "C-1" }] }, links: { next: "/2" } } },
      { json: { data: { rows: [{ id: "C-2" }] }, links: {} } },
    );
    const source = sourceOf(server, { listPath: "/1", itemsPath: "data.rows", nextPath: "links.next" });
    expect((await listAll(source)).ids).toEqual(["C-1", "C-2"]);
  });

  test("reports items that are not customers, and reads the others", async () => {
    const server = await serve({ json: { items: [{ id: "C-1" }, null, { name: "x" }, { id: "C-4" }] } });
    const { ids, issues } = await listAll(sourceOf(server, { listPath: "/all" }));
    expect(ids).toEqual(["C-1", "C-4"]);
    expect(issues.map(({ place }) => place)).toEqual(["item 2 of page 1", "item 3 of page 1"]);
  });

  test.each([
    ["no array", { json: { customers: [] } }],
    ["an error page", { body: "<html>" }],
    ["a 404", { status: 404 }],
    ["a next page elsewhere", { json: { items: [], next: "http://127.0.0.2:9/" } }],
    ["a next page that is no URL", { json: { items: [], next: "http://[" } }],
    ["itself as the next page", { json: { items: [], next: "/all" } }],
  ])("ends with a ValidationError on %s", async (_, reply) => {
    const server = await serve(reply);
    await expect(listAll(sourceOf(server, { listPath: "/all" }))).rejects.toMatchObject({ type: "validation_error" });
  });

  test("uses a location without {id}, and requests for a single customer then say what is missing", async () => {
    const server = await serve({ json: [{ id: "C-1" }] });
    const source = createCustomerSource(`${server.origin}/customers`);
    const ids: string[] = [];
    for await (const { id } of source.list(request)) ids.push(id);
    expect(ids).toEqual(["C-1"]);
    await expect(source.get("C-1", request)).rejects.toThrow(/no URL for one customer/);
    expect(() => new HttpCustomerSource({})).toThrow(/URL of the customer source must/);
  });

  test("reads a number that can be read in two ways like the others, and reports properties that are not read", async () => {
    const server = await serve({
      json: [
        { id: "C-1", lifetime_value: "6.000", contact: { mail: "a@b.example" }, optOut: true },
        { id: "C-2", lifetime_value: "1,5" },
      ],
    });
    const unread: unknown[] = [];
    const source = createCustomerSource(`${server.origin}/all`, { fields: { email: "contact.mail" } });
    const list = source.list({ ...request, onUnreadColumn: (...told) => unread.push(told) });
    expect(await Array.fromAsync(list)).toEqual([
      { id: "C-1", email: "a@b.example", lifetime_value: 6000 },
      { id: "C-2", lifetime_value: 1.5 },
    ]);
    expect(unread).toEqual([["optOut", "do_not_contact"]]);
  });

  test("reads such a number like those on later pages, which are then read twice", async () => {
    const server = await serve(({ path }, response) => {
      const pages = {
        "/all": { items: [{ id: "C-1", lifetime_value: "6.000" }], next: "/all?page=2" },
        "/all?page=2": {
          items: [
            { id: "C-2", lifetime_value: "1,5" },
            { id: "C-3", lifetime_value: "7.000" },
          ],
        },
      };
      response.end(JSON.stringify(pages[path as keyof typeof pages]));
    });
    const issues: CustomerIssue[] = [];
    const list = createCustomerSource(`${server.origin}/all`).list({
      ...request,
      onIssue: (issue) => issues.push(issue),
    });
    expect(await Array.fromAsync(list)).toEqual([
      { id: "C-1", lifetime_value: 6000 },
      { id: "C-2", lifetime_value: 1.5 },
      { id: "C-3", lifetime_value: 7000 },
    ]);
    expect(issues).toEqual([]);
    expect(server.requests.map(({ path }) => path)).toEqual(["/all", "/all?page=2", "/all?page=2"]);
  });

  test("says that it needs a URL for the list", async () => {
    const server = await serve({});
    await expect(listAll(sourceOf(server))).rejects.toThrow(/no URL for all customers/);
  });
});
