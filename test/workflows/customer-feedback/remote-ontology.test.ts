import { describe, expect, it } from "vitest";
import { SparqlEndpointStore } from "../../../src/ontology/sparql-endpoint/sparql-endpoint-store.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import { FeedbackGraph } from "../../../src/workflows/customer-feedback/feedback-graph.ts";
import { feedback, startFeedback, values } from "../../support/feedback.ts";
import { shaclViolations } from "../../support/shacl.ts";
import { startSparqlEndpoint, type SparqlEndpoint } from "../../support/sparql-endpoint.ts";

const remote = ({ origin }: SparqlEndpoint): SparqlEndpointStore =>
  new SparqlEndpointStore({ url: `${origin}/sparql`, retries: 0 });

describe("the workflow on a SPARQL endpoint", () => {
  it("does everything that it does on the embedded store", async () => {
    const endpoint = await startSparqlEndpoint();
    const { workflow, mails, ontologyStore } = await startFeedback({ ontologyStore: remote(endpoint) });
    const reply = await workflow.run(feedback());
    expect(reply).toMatchObject({ success: true, action: "auto_respond" });
    const escalation = await workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-vip" }));
    expect(escalation).toMatchObject({ success: true, action: "escalate" });
    expect(await workflow.run(feedback())).toMatchObject({ duplicate: true, response_id: reply.response_id });
    expect(await workflow.run(feedback({ feedback_id: "F-3", customer_id: "C-?" }))).toMatchObject({
      error_code: "customer_not_found",
    });
    expect(mails.mails).toHaveLength(2);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual(["true", "true"]);
    expect(await values(ontologyStore, "Ticket", "abi:id")).toEqual([escalation.ticket_id]);
    expect(await ontologyStore.listStores()).toEqual(["customer_data", "feedback_data"]);
    for (const store of ["customer_data", "feedback_data"])
      expect(await shaclViolations(await ontologyStore.getGraph(store))).toEqual([]);
  });

  it("stores waiting emails there byte for byte", async () => {
    const endpoint = await startSparqlEndpoint();
    const { workflow, mails } = await startFeedback({ ontologyStore: remote(endpoint), approval: true });
    const { workflow_id: id = "" } = await workflow.run(feedback());
    const { rendering, html, text } = (await workflow.getPendingResponse(id))!;
    await workflow.approveResponse(id, { rendering, by: "Ann" });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    expect(mails.mails[0]!.parsed).toMatchObject({ html, text });
  });

  it("shares its graph with the workflow on another machine", async () => {
    const endpoint = await startSparqlEndpoint();
    const here = await startFeedback({ ontologyStore: remote(endpoint) });
    const there = await startFeedback({ ontologyStore: remote(endpoint) });
    await here.workflow.run(feedback());
    await there.workflow.run(feedback({ feedback_id: "F-2" }));
    expect([here.source.asked, there.source.asked]).toEqual([["C-1"], []]);
    expect(await values(here.ontologyStore, "Feedback", "abi:id")).toEqual(["F-1", "F-2"]);
  });

  it("copes with an endpoint that fails now and then, and does nothing twice", async () => {
    const endpoint = await startSparqlEndpoint();
    const { workflow, mails, ontologyStore } = await startFeedback({ ontologyStore: remote(endpoint) });
    // The engine makes three attempts at each step, each from the step's first request.
    endpoint.failNext(
      ...([503, null, null, "drop-after", null] as const), // the customer: looked up, fetched, found
      ...(["drop-after", null] as const), // the feedback
      ...(["drop-after", null] as const), // the ticket
      ...([null, null, null, "drop-after", null, null, null] as const), // the permission: read existing ones, then write its own
      ...([503, null] as const), // the email
      "drop", // recording the email
    );
    expect(await workflow.run(feedback({ customer_id: "C-vip" }))).toMatchObject({ success: true, action: "escalate" });
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Ticket", "abi:id")).toHaveLength(1);
    expect(await values(ontologyStore, "Feedback", "abi:id")).toEqual(["F-1"]);
  });

  it("reads 1 as true, because endpoints may return it like that", async () => {
    const endpoint = await startSparqlEndpoint();
    const { workflow, ontologyStore } = await startFeedback({ ontologyStore: remote(endpoint) });
    await workflow.run(feedback());
    await ontologyStore.update(
      "feedback_data",
      `${PREFIXES} DELETE { ?f abi:responseSent ?sent } INSERT { ?f abi:responseSent 1 } WHERE { ?f abi:responseSent ?sent }`,
    );
    expect(await new FeedbackGraph(ontologyStore).find("F-1")).toMatchObject({ responseSent: true });
  });
});
