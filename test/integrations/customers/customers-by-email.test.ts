import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createCustomerSource } from "../../../src/integrations/customers/create-customer-source.ts";
import { HttpCustomerSource } from "../../../src/integrations/customers/http-customer-source.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { serve } from "../../support/http.ts";

const request = { includeTransactions: false, includeInteractions: false };
const ADA = { id: "C-1", email: "Ada@Example.org" };

describe("customers by email address", () => {
  it("are all customers in a file that have the address, ignoring case", async () => {
    const path = join(temporaryFolder(), "customers.csv");
    writeFileSync(path, "id,email\nC-1,Ada@Example.org\nC-2,ada@example.org\nC-3,ada@example.com\nC-4,\n");
    const source = createCustomerSource(path);
    const found = await source.withEmail!("ADA@example.org", request);
    expect(found.map(({ id }) => id)).toEqual(["C-1", "C-2"]);
    expect(await source.withEmail!("", request)).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["an array", [ADA, { id: "C-9", email: "ada@example.org.evil.example" }]],
    ["a page", { items: [ADA, { id: "C-9" }] }],
    ["one customer", ADA],
  ])("are those in an HTTP answer that have the address: %s", async (_, json) => {
    const server = await serve({ json });
    const source = createCustomerSource(`${server.origin}/customers/{id}`, {
      emailUrl: `${server.origin}/customers?email={email}`,
    });
    expect(await source.withEmail!("ada@example.org", request)).toEqual([ADA]);
    expect(server.requests.map(({ path }) => path)).toEqual(["/customers?email=ada%40example.org"]);
  });

  it("are none if the server answers 404", async () => {
    const server = await serve({ status: 404 });
    const source = new HttpCustomerSource({ emailUrl: `${server.origin}/by-email/{email}` });
    expect(await source.withEmail("../admin?x=1&y@example.org", request)).toEqual([]);
    expect(server.requests.map(({ path }) => path)).toEqual(["/by-email/..%2Fadmin%3Fx%3D1%26y%40example.org"]);
  });

  it("can't be requested without a URL with {email}, or from another server", async () => {
    const source = new HttpCustomerSource({ url: "https://crm.example/{id}" });
    await expect(source.withEmail("a@b.example", request)).rejects.toMatchObject({ code: "invalid_configuration" });
    const url = "https://crm.example/{id}";
    expect(() => new HttpCustomerSource({ url, emailUrl: "https://crm.example/x" })).toThrow("{email}");
    expect(() => new HttpCustomerSource({ url, emailUrl: "https://evil.example/{email}" })).toThrow("server");
  });
});
