import { SparqlEndpointStore } from "../../../src/ontology/sparql-endpoint/sparql-endpoint-store.ts";
import { ontologyStoreContract } from "../../contract/ontology-store.ts";
import { startSparqlEndpoint, type SparqlEndpoint } from "../../support/sparql-endpoint.ts";

let endpoint: SparqlEndpoint;

const open = (graphStore: boolean): SparqlEndpointStore =>
  new SparqlEndpointStore({
    url: `${endpoint.origin}/sparql`,
    ...(graphStore && { graphStoreUrl: `${endpoint.origin}/graphs` }),
  });

for (const graphStore of [false, true]) {
  ontologyStoreContract(`SparqlEndpointStore ${graphStore ? "with" : "without"} the Graph Store protocol`, {
    create: async () => {
      endpoint = await startSparqlEndpoint({ closeWithTest: false });
      return open(graphStore);
    },
    reopen: async (store) => {
      await store.close();
      return open(graphStore);
    },
    destroy: async (store) => {
      await store.close();
      await endpoint.close();
    },
  });
}
