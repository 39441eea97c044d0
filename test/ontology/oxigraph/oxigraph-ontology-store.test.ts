import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { ontologyStoreContract } from "../../contract/ontology-store.ts";

let folder: string;
const file = (): string => join(folder, "graph.sqlite");

ontologyStoreContract("OxigraphOntologyStore on a file", {
  create: async () => {
    folder = await mkdtemp(join(tmpdir(), "ontology-"));
    return OxigraphOntologyStore.open({ path: file() });
  },
  reopen: async (store) => {
    await store.close();
    return OxigraphOntologyStore.open({ path: file() });
  },
  destroy: async (store) => {
    await store.close();
    await rm(folder, { recursive: true });
  },
});

ontologyStoreContract("OxigraphOntologyStore in memory", {
  create: () => OxigraphOntologyStore.open({ path: ":memory:" }),
  destroy: (store) => store.close(),
});
