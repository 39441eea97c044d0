import { expect, it } from "vitest";
import { SparqlEndpointStore } from "../../../src/ontology/sparql-endpoint/sparql-endpoint-store.ts";
import { queryRunnerContract } from "../../contract/query-runner.ts";
import { startSparqlEndpoint, type SparqlEndpoint } from "../../support/sparql-endpoint.ts";

let endpoint: SparqlEndpoint;

queryRunnerContract("SparqlEndpointStore", {
  create: async () => {
    endpoint = await startSparqlEndpoint({ closeWithTest: false });
    return new SparqlEndpointStore({ url: `${endpoint.origin}/sparql` });
  },
  destroy: async (store) => {
    await store.close();
    await endpoint.close();
  },
  hang: () => endpoint.hangNext(),
});

it("a query ends at its time limit if the endpoint does not answer, retries included", async () => {
  const silent = await startSparqlEndpoint();
  const store = new SparqlEndpointStore({ url: `${silent.origin}/sparql`, timeoutMs: 20 });
  silent.failNext(...Array.from({ length: 20 }, () => "hang" as const));
  const query = store.queryRunner.run({ store: "data", sparql: "ASK {}", timeoutMs: 200 });
  await expect(query).rejects.toMatchObject({ code: "query_timeout" });
});
