import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "n3";
import { describe, expect, test } from "vitest";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { serve } from "../support/http.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startSparqlEndpoint } from "../support/sparql-endpoint.ts";
import { rawMail } from "../support/raw-mail.ts";
import { literal, namedNode, quad } from "../support/terms.ts";
import { call, FEEDBACK, RunningCommand, workplace } from "./command-process.ts";

describe("query", () => {
  test("prints a table (or SPARQL JSON results) for SELECT, yes or no for ASK, and Turtle for CONSTRUCT", async () => {
    const place = workplace();
    await call(["process", ...FEEDBACK], place);
    const query = (...args: string[]) => call(["query", ...args], place);

    const select = await query(
      "SELECT ?id ?who ?sentiment { ?f abi:id ?id ; abi:providedBy ?who ; abi:sentiment ?sentiment }",
    );
    expect(select).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "id   who                                  sentiment\n" +
        "F-1  http://example.org/abi/Customer/C-1  positive\n1 row\n",
    });

    writeFileSync(
      join(place.cwd, "q.rq"),
      "PREFIX a: <http://example.org/abi#> SELECT ?name ?value { ?c a:name ?name ; a:lifetimeValue ?value }",
    );
    const json = await query("q.rq", "--store", "customer_data", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      head: { vars: ["name", "value"] },
      results: {
        bindings: [{ name: { type: "literal", value: "Ann Ford" }, value: { type: "literal", value: "100" } }],
      },
    });

    expect((await query("ASK { ?f abi:sentiment 'positive' }")).stdout).toBe("yes\n");
    expect((await query("ASK { ?f abi:sentiment 'negative' }")).stdout).toBe("no\n");

    const construct = await query("CONSTRUCT { ?f a abi:Feedback } { ?f a abi:Feedback }");
    expect(new Parser().parse(construct.stdout)).toHaveLength(1);
  });

  test("reads any store: that of held emails, and those of your own workflows", async () => {
    const place = workplace();
    const mail = rawMail({ From: "stranger@example.net", Subject: "Hello" });
    await call(["ingest", "-"], { ...place, input: mail.toString("latin1") });
    const path = join(place.cwd, ".abi-workflows", "data.sqlite");
    const graph = await OxigraphOntologyStore.open({ path });
    await graph.insert("products", [quad(namedNode("urn:kettle"), namedNode("urn:name"), literal("Kettle"))]);
    await graph.close();
    const query = (name: string, sparql: string) => call(["query", sparql, "--store", name], place);

    const held = await query("held_mail", "SELECT ?subject { ?m a abi:HeldMail ; abi:subject ?subject }");
    expect(held).toEqual({ code: 0, stdout: "subject\nHello\n1 row\n", stderr: "" });
    const products = await query("products", "SELECT ?name { ?p <urn:name> ?name }");
    expect(products).toEqual({ code: 0, stdout: "name\nKettle\n1 row\n", stderr: "" });
    const misspelt = await query("product", "SELECT ?name { ?p <urn:name> ?name }");
    expect(misspelt).toMatchObject({ code: 0, stdout: "0 rows\n" });
    expect(misspelt.stderr).toMatch(
      /^There is no store product in this graph\. Its stores: .*held_mail.*products\.\n$/,
    );
  });

  test("refuses to change anything, and says where a query has a syntax error", async () => {
    const place = workplace();
    const update = await call(["query", "DELETE WHERE { ?s ?p ?o }"], place);
    expect(update).toMatchObject({ code: 1, stdout: "" });
    expect(update.stderr).toMatch(/error: .*update/);
    expect((await call(["query", "SELECT"], place)).stderr).toMatch(/error: The SPARQL does not parse/);
  });

  test("ends a query that takes too long, at --timeout or at Ctrl-C", async () => {
    const place = workplace();
    await call(["process", ...FEEDBACK], place);
    const parts = Array.from({ length: 12 }, (_, index) => `?a${index} ?b${index} ?c${index}`);
    const endless = ["query", `SELECT (COUNT(*) AS ?n) { ${parts.join(" . ")} }`];

    const late = await call([...endless, "--timeout", "1s", "--json"], place);
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining("stopped after 1 s, its time limit") });
    expect(JSON.parse(late.stdout)).toMatchObject({ error_code: "query_timeout" });
    expect((await call(["query", "ASK {}", "--timeout", "0"], place)).code).toBe(2);

    const command = new RunningCommand([...endless, "--data", join(place.cwd, ".abi-workflows")], place);
    await expect.poll(() => existsSync(join(place.cwd, ".abi-workflows", "data.sqlite-wal"))).toBe(true);
    command.kill("SIGINT");
    expect(await command.ended).toEqual({ code: 130, stdout: "", stderr: "Stopping the query.\n" });
  });

  test("creates nothing in an empty folder", async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await call(["query", "-"], { cwd, input: "SELECT * { ?s ?p ?o }" });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "0 rows\n" });
    expect(stderr).toContain("no knowledge graph");
    expect((await call(["status"], { cwd })).stderr).toBe("No runs here yet.\n");
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("refresh-customer", () => {
  test("reads a customer again, says which customer the source does not know, and requires a source", async () => {
    const place = workplace();
    await call(["import-customers", "customers.csv"], place);
    writeFileSync(join(place.cwd, "customers.csv"), "id,name,email\nC-1,Ann Moved,ann@example.net\n");
    const refresh = (...args: string[]) => call(["refresh-customer", ...args], place);
    expect(await refresh("C-1")).toEqual({
      code: 0,
      stdout: "C-1 is stored with the customer source's current data.\n",
      stderr: "",
    });
    const names = ["query", "--store", "customer_data", "SELECT ?name { ?c abi:name ?name } ORDER BY ?name"];
    expect((await call(names, place)).stdout).toBe('name\nAnn Moved\nBo "B" Lund\n2 rows\n');

    const gone = await refresh("C-2", "--json");
    expect({ code: gone.code, result: JSON.parse(gone.stdout) as unknown }).toEqual({
      code: 1,
      result: { customer_id: "C-2", found: false },
    });
    expect((await refresh("C-2")).stdout).toBe("The customer source does not know C-2. Nothing was changed.\n");
    expect((await call(["refresh-customer", "C-1"], { cwd: place.cwd })).stderr).toMatch(/Set CUSTOMER_SOURCE/);
  });
});

describe("import-customers", () => {
  test("loads valid rows, lists invalid ones, and adds nothing twice if repeated", async () => {
    const cwd = temporaryFolder();
    const rows = ["C-1,Ann,ann@example.com,12", "C-2,Bo,bo@example.com,much", ",Nobody,,", "C-4,Too,few"];
    writeFileSync(join(cwd, "customers.csv"), `id,name,email,lifetime_value\n${rows.join("\n")}\n`);
    await call(["import-customers", "customers.csv"], { cwd });
    const { code, stdout } = await call(["import-customers", "customers.csv"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain("2 customers loaded, 2 invalid");
    expect(stdout).toContain("line 3 (C-2): lifetime_value is not a number: left out · customer stored anyway");
    expect(stdout).toContain("line 4: id");
    const names = await call(
      ["query", "--store", "customer_data", "SELECT ?name { ?c abi:name ?name } ORDER BY ?name"],
      { cwd },
    );
    expect(names.stdout).toBe("name\nAnn\nBo\n2 rows\n");
  });

  describe("of a file with other columns", () => {
    const folder = (): string => {
      const cwd = temporaryFolder();
      const rows = ["1;Ann <ann@bücher.example>;6.000;nein;1", "2;a@b.example, c@d.example;1.234,56;vielleicht;2"];
      const text = `\uFEFFNr;Mail;Umsatz;opt_out;phone\n${rows.join("\n")}\n`;
      writeFileSync(join(cwd, "crm.csv"), Buffer.from(text, "utf16le"));
      return cwd;
    };
    const args = [
      "import-customers",
      "crm.csv",
      "--map",
      "id=Nr",
      "--map",
      "email=Mail",
      "--map",
      "lifetime_value=Umsatz",
    ];

    test("says which columns are not read and what they may mean", async () => {
      const { code, stdout } = await call(args, { cwd: folder() });
      expect(code).toBe(0);
      expect(stdout).toContain("2 customers loaded, 0 invalid");
      expect(stdout).toContain("line 3 (2): email is more than one address: left out · customer stored anyway");
      expect(stdout).toContain("columns that are not read: phone");
      expect(stdout).toContain('the column "opt_out" is not read. If it says who must not be contacted');
    });

    test("reads mapped columns", async () => {
      const { stdout } = await call([...args, "--map", "do_not_contact=opt_out", "--json"], { cwd: folder() });
      expect(JSON.parse(stdout)).toEqual({
        loaded: 2,
        invalid: 0,
        issues: [
          {
            place: "line 3",
            customer_id: "2",
            message:
              "email is more than one address: left out; do_not_contact is neither true nor false: counts as true",
            skipped: false,
          },
        ],
        unread_columns: [{ column: "phone" }],
      });
    });
  });

  test("says which of two columns for one field is not read", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "crm.csv"), "id,email,E-mail\nC-1,,a@example.org\n");
    const { stdout } = await call(["import-customers", "crm.csv"], { cwd });
    expect(stdout).toContain('the column "E-mail" is not read: another column is read as email. Rename one of them,');
  });

  test("loads from a service", async () => {
    const server = await serve({ json: [{ id: "C-1", name: "Ann" }] });
    const { code, stdout } = await call(["import-customers", `${server.origin}/customers`, "--json"], {
      cwd: temporaryFolder(),
    });
    expect({ code, result: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      result: { loaded: 1, invalid: 0, issues: [] },
    });
  });
});

describe("status", () => {
  test("shows a run by feedback id or workflow id, and the latest runs", async () => {
    const place = workplace();
    await call(["process", ...FEEDBACK], place);
    await call(["process", ...FEEDBACK.with(1, "F-2").with(3, "C-404")], place);

    const byFeedback = JSON.parse((await call(["status", "F-1", "--json"], place)).stdout);
    expect(byFeedback).toMatchObject({
      feedback_id: "F-1",
      status: "completed",
      result: { success: true, action: "auto_respond" },
    });
    const { workflow_id: id } = byFeedback as { workflow_id: string };
    expect((await call(["status", id], place)).stdout).toMatch(/feedback +F-1\n +workflow id +workflow-/);

    const failed = await call(["status", "--status", "failed"], place);
    expect(failed.stdout).toMatch(/^feedback +status/);
    expect(failed.stdout).toMatch(/F-2 +failed .*Customer with ID C-404 not found/);
    expect(failed.stdout).not.toContain("F-1");
    expect(JSON.parse((await call(["status", "--limit", "1", "--json"], place)).stdout)).toMatchObject([
      { feedback_id: "F-2" },
    ]);
  });

  test("exits with 1 for an unknown run", async () => {
    const { code, stdout } = await call(["status", "F-1", "--json"], { cwd: temporaryFolder() });
    expect({ code, answer: JSON.parse(stdout) as unknown }).toEqual({
      code: 1,
      answer: { workflow_id: "F-1", status: "not_found" },
    });
  });
});

test("import-customers and query use the SPARQL endpoint if one is configured", async () => {
  const endpoint = await startSparqlEndpoint();
  const place = workplace();
  const shared = { ...place, env: { ...place.env, ONTOLOGY_URL: `${endpoint.origin}/sparql` } };
  expect((await call(["import-customers", "customers.csv"], shared)).stdout).toMatch(/^2 customers loaded/);
  const names = ["query", "--store", "customer_data", "SELECT ?name { ?c abi:id 'C-1' ; abi:name ?name }"];
  expect((await call(names, shared)).stdout).toBe("name\nAnn Ford\n1 row\n");
  expect((await call(names, place)).stderr).toMatch(/no knowledge graph/);
});

test("a SPARQL endpoint that refuses us is reported as such, and nothing counts as loaded if a proxy asks for a sign-in", async () => {
  const access = { scheme: "bearer", token: "t0ken" } as const;
  const endpoint = await startSparqlEndpoint({ access });
  const proxy = await serve({ headers: { "content-type": "text/html" }, body: "<html>Sign in</html>" });
  const importTo = (url: string) => {
    const place = workplace();
    return call(["import-customers", "customers.csv", "--json"], {
      ...place,
      env: { ...place.env, ONTOLOGY_URL: url },
    });
  };
  const refused = await importTo(`${endpoint.origin}/sparql`);
  expect(refused.stderr).toMatch(/^error: The SPARQL endpoint refuses us \(HTTP 401\)\. Check user, password or token/);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error_code: "access_denied", error_type: "unexpected_error" });

  const swallowed = await importTo(`${proxy.origin}/sparql`);
  expect(swallowed.code).toBe(1);
  expect(JSON.parse(swallowed.stdout)).toMatchObject({ success: false, error_code: "unreadable_answer" });
});
