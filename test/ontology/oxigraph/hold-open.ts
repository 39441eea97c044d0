/** Child process: opens the store, reports that, and keeps it open until it is killed. */
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";

const [, , path = ""] = process.argv;
const store = await OxigraphOntologyStore.open({ path });
process.stdout.write("open\n");
process.stdin.resume();
process.stdin.once("end", () => void store.close());
