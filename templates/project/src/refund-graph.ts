import { ABIGraph, select, type OntologyStore } from "abi-workflows";

const STORE = "refunds";

export interface Refund {
  id: string;
  orderId: string;
  amount: number;
  decision: string;
  receipt: string | null;
  timestamp: Date;
}

/** Stores a refund. Storing it again changes nothing, because its URI is made from its id. */
export async function storeRefund(store: OntologyStore, { receipt, ...properties }: Refund): Promise<void> {
  const graph = new ABIGraph();
  const refund = graph.createEntity("Refund", properties);
  if (receipt !== null) graph.addProperty(refund, "receipt", receipt);
  await store.insert(STORE, graph);
}

/** The refunds of an order, oldest first. */
export async function findRefunds(store: OntologyStore, orderId: string) {
  const rows = await select(
    store,
    STORE,
    `PREFIX abi: <http://example.org/abi#>
    SELECT ?id ?amount ?decision WHERE {
      ?refund abi:orderId ?orderId ; a abi:Refund ; abi:id ?id ; abi:amount ?amount ; abi:decision ?decision ; abi:timestamp ?time
    } ORDER BY ?time ?id`,
    // Pass values as bindings. Never put them into the text of a query.
    { orderId },
  );
  return rows.map(({ id, amount, decision }) => ({
    refund_id: id?.value ?? "",
    amount: Number(amount?.value),
    decision: decision?.value ?? "",
  }));
}
