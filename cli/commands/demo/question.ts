import { storeIri } from "../../../src/ontology/store-name.ts";

/**
 * The question that the demo asks the knowledge graph at the end. Feedback is in one store,
 * customers are in another.
 */
export const QUESTION = {
  title: "Who is unhappy, and about what?",
  sparql: `SELECT ?customer ?segment (COUNT(DISTINCT ?f) AS ?complaints)
       (GROUP_CONCAT(DISTINCT ?category; separator=", ") AS ?about)
WHERE {
  ?f abi:sentiment "negative" ; abi:hasCategory ?category ;
     abi:providedBy ?who .
  GRAPH <${storeIri("customer_data")}> {
    ?who abi:name ?customer ; abi:segment ?segment
  }
}
GROUP BY ?customer ?segment ORDER BY DESC(?complaints) ?customer LIMIT 8`,
};
