/** Child process: writes batches of 20 quads, one transaction each, and prints the number of each when it is acknowledged. */
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { literal, namedNode, quad } from "../../support/terms.ts";

const [, , path = "", first = "0"] = process.argv;

const store = await OxigraphOntologyStore.open({ path });
for (let batch = Number(first); ; batch += 1) {
  const subject = namedNode(`urn:batch:${batch}`);
  const quads = Array.from({ length: 20 }, (_, index) =>
    quad(subject, namedNode("urn:p"), literal(`${index} of ${batch}`)),
  );
  await store.insert("data", quads);
  // Moves the marker of the latest batch: a removal and an addition that must be atomic.
  await store.update(
    "latest",
    "DELETE { ?s ?p ?o } INSERT { <urn:latest> <urn:is> ?batch } WHERE { OPTIONAL { ?s ?p ?o } }",
    {
      batch: subject,
    },
  );
  process.stdout.write(`${batch}\n`);
}
