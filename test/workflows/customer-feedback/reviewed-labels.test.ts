import { expect, it, onTestFinished } from "vitest";
import { ABIGraph } from "../../../src/ontology/abi-graph.ts";
import { iri } from "../../../src/ontology/iri.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../../src/ontology/queries.ts";
import type { ResponseDecision } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import { ResponseDrafts } from "../../../src/workflows/customer-feedback/responses/response-drafts.ts";
import { reviewedFeedback } from "../../../src/workflows/customer-feedback/reviewed-labels.ts";

const by = "Eve";
const approve: ResponseDecision = { decision: "approve", by };
const reject: ResponseDecision = { decision: "reject", by };

/** The reviewed labels of praise for a product after these decisions, one for each email that was drafted. */
const labelsAfter = (...decisions: ResponseDecision[]) => labelsOf({}, ...decisions);

async function labelsOf(certainty: { doubtful?: boolean; sentimentScore?: number }, ...decisions: ResponseDecision[]) {
  const store = await OxigraphOntologyStore.open({ path: ":memory:" });
  onTestFinished(() => store.close());
  const graph = new ABIGraph();
  const feedback = graph.createEntity("Feedback", {
    id: "F-1",
    text: "Nice.\n-- \nAnn",
    sentiment: "positive",
    ...certainty,
  });
  graph.addProperty(feedback, "hasCategory", "product");
  graph.createRelationship(feedback, "providedBy", iri("http://example.org/abi/Customer/C-1"));
  await store.insert("feedback_data", graph);
  const drafts = new ResponseDrafts(store);
  for (const [at, decision] of decisions.entries()) {
    const content = { from: "a@b.example", to: "c@d.example", subject: "S", html: "H", messageId: "<m@b>" };
    const message = { ...content, text: `Version ${at}`, headers: {} };
    const rendering = await drafts.store("F-1", { message }, { runId: "workflow-1" });
    await drafts.recordDecision(rendering, decision, new Date(Date.UTC(2026, 10, 29, at)));
  }
  return reviewedFeedback((sparql) => select(store, "feedback_data", sparql));
}

const judged = { sentiment: "positive", categories: ["product"] };

it("an approval counts for the labels that were shown", async () => {
  expect(await labelsAfter(approve)).toEqual([
    {
      id: "F-1",
      customer: "http://example.org/abi/Customer/C-1",
      text: "Nice.",
      judged,
      sentiment: { label: "positive", source: "approved" },
      categories: { labels: ["product"], source: "approved" },
    },
  ]);
});

it("labels that a person stated count before those that were shown, even if the email was approved later", async () => {
  const named = { ...reject, sentiment: "neutral", categories: ["pricing", "bug"] } satisfies ResponseDecision;
  const [after] = await labelsAfter(named, approve);
  expect(after).toMatchObject({
    judged,
    sentiment: { label: "neutral", source: "stated" },
    categories: { labels: ["pricing", "bug"], source: "stated" },
  });
  const [half] = await labelsAfter({ ...approve, sentiment: "negative" });
  expect(half).toMatchObject({ sentiment: { source: "stated" }, categories: { source: "approved" } });
});

it("the last labels that people stated count", async () => {
  const [after] = await labelsAfter({ ...reject, sentiment: "neutral" }, { ...approve, sentiment: "negative" });
  expect(after?.sentiment).toEqual({ label: "negative", source: "stated" });
});

it("there is no label if an email was edited or rejected without anybody stating the right one", async () => {
  for (const decision of [reject, { decision: "edit", by, rendering: "0".repeat(64) } as const]) {
    const [after] = await labelsAfter(approve, decision);
    expect(after).toMatchObject({ id: "F-1", judged });
    expect(after).not.toHaveProperty("sentiment");
    expect(after).not.toHaveProperty("categories");
  }
  expect(await labelsAfter()).toEqual([]);
});

it("an approval does not count for a doubtful sentiment, or for any label of a text that was not read", async () => {
  const categories = { labels: ["product"], source: "approved" };
  const [doubtful] = await labelsOf({ doubtful: true, sentimentScore: 0.5 }, approve);
  expect(doubtful).toMatchObject({ uncertain: true, categories });
  expect(doubtful).not.toHaveProperty("sentiment");
  const [unread] = await labelsOf({ sentimentScore: 0 }, approve);
  expect(unread).toMatchObject({ uncertain: true });
  for (const name of ["sentiment", "categories"]) expect(unread).not.toHaveProperty(name);
  const [named] = await labelsOf({ doubtful: true }, { ...approve, sentiment: "positive" });
  expect(named).toMatchObject({ sentiment: { label: "positive", source: "stated" }, categories });
  expect(named).not.toHaveProperty("uncertain");
  expect((await labelsOf({ sentimentScore: 0.2 }, approve))[0]).toMatchObject({ sentiment: { source: "approved" } });
  expect((await labelsOf({ doubtful: true }, reject))[0]).not.toHaveProperty("uncertain");
});
