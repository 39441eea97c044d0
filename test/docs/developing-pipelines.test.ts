import { once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { abi } from "../../src/ontology/vocabulary.ts";
import { serve } from "../support/http.ts";
import { codeBlocks, createProject, filesOf, runNode, startNode } from "./documents.ts";

const PAGE = "docs/developing-pipelines.md";

let cwd: string;

beforeEach(() => {
  cwd = createProject(filesOf(PAGE));
});

/** Starts a program of the page that serves something, and returns the URL that it prints. */
async function start(file: string, env: Record<string, string> = {}) {
  const process = startNode([file], { cwd, env: { PORT: "0", ...env } });
  const [url] = (await once(createInterface({ input: process.stdout! }), "line")) as [string];
  return { process, url };
}

test("the pipeline of the page runs as a command, as a tool and over HTTP", async () => {
  const env = { CATALOG_URL: (await start("catalog-server.ts")).url };
  const loaded = { code: 0, stdout: "2 products\n", stderr: "2 products …\n" };
  expect(await runNode(["load.ts"], { cwd, env })).toEqual(loaded);
  expect(await runNode(["load.ts"], { cwd, env })).toEqual(loaded);
  expect(await runNode(["tools.ts"], { cwd, env })).toEqual({
    code: 0,
    stdout: 'refresh_product {"product_id":"P-2","found":true}\n',
    stderr: "",
  });

  const token = "0123456789abcdef";
  const { process, url } = await start("server.ts", { ...env, HTTP_TOKENS: `ann:admin:${token}` });
  const refresh = (product_id: string, authorization: string) =>
    fetch(`${url}/pipelines/products/refresh_product`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization, connection: "close" },
      body: JSON.stringify({ product_id }),
    });
  expect((await refresh("P-1", "Bearer somebody-else-0123")).status).toBe(401);
  expect(await (await refresh("P-1", `Bearer ${token}`)).json()).toEqual({ product_id: "P-1", found: true });
  expect(await (await refresh("P-404", `Bearer ${token}`)).json()).toEqual({ product_id: "P-404", found: false });
  process.kill("SIGTERM");
  expect(await once(process, "close")).toEqual([0, null]);
});

test("the page's command says so if the catalogue can't be reached", async () => {
  const { process, url } = await start("catalog-server.ts");
  process.kill();
  await once(process, "close");
  expect(await runNode(["load.ts"], { cwd, env: { CATALOG_URL: url } })).toEqual({
    code: 1,
    stdout: "",
    stderr: "The catalogue is not available. Try again later.\n",
  });
});

test.each([
  ["overloaded", { status: 503 }, "The catalogue is not available. Try again later."],
  ["broken in the middle", { body: '[{"id":' }, "The catalogue is not available. Try again later."],
  ["forbidden", { status: 403 }, "The catalogue refused the request. Check its URL."],
])("the page's command says so if the catalogue's answer is %s", async (_, reply, stderr) => {
  const env = { CATALOG_URL: (await serve(reply)).origin };
  expect(await runNode(["load.ts"], { cwd, env })).toEqual({ code: 1, stdout: "", stderr: `${stderr}\n` });
});

test("a product that changes in the catalogue changes in the graph, and one that disappears there stays", async () => {
  const kettle = { id: "P-1", name: "Kettle", price: 39.9 };
  const teapot = { id: "P-2", name: "Teapot" };
  const catalog = await serve({ json: [kettle, teapot] }, { json: [{ ...kettle, name: "Electric kettle" }] });
  const env = { CATALOG_URL: catalog.origin };
  expect(await runNode(["load.ts"], { cwd, env })).toMatchObject({ code: 0, stdout: "2 products\n" });
  expect(await runNode(["load.ts"], { cwd, env })).toMatchObject({ code: 0, stdout: "1 products\n" });
  chmodSync(cwd, 0o700);
  const store = await OxigraphOntologyStore.open({ path: join(cwd, "shop.sqlite") });
  onTestFinished(() => store.close());
  const quads = await store.match("products", [{ predicate: abi.name }]);
  expect(quads.map(({ object }) => object.value).toSorted()).toEqual(["Electric kettle", "Teapot"]);
});

test("the page's customer source provides customers", async () => {
  const [stdout] = codeBlocks(PAGE).flatMap(({ language, code }) => (language === "text" ? [code] : []));
  expect(await runNode(["customers.ts"], { cwd })).toEqual({ code: 0, stdout, stderr: "" });
});
