import { expect, it } from "vitest";
import type { Row } from "../../../src/ontology/ontology-store.ts";
import { abi, prov, rdf } from "../../../src/ontology/vocabulary.ts";
import { IMPERSONAL_DATA } from "../../../src/workflows/customer-feedback/visible-data.ts";
import { startWaiting } from "../../support/approval.ts";
import { feedback } from "../../support/feedback.ts";

/** Terms that say who somebody is, how to reach them or what they wrote, and classes whose members are named after people. */
const HIDDEN = [
  abi.name,
  abi.email,
  abi.normalizedEmail,
  abi.digest,
  abi.repliesTo,
  abi.segment,
  abi.lifetimeValue,
  abi.doNotContact,
  abi.retrievedAt,
  abi.retrievedFrom,
  abi.subject,
  abi.text,
  abi.html,
  abi.sentimentEvidence,
  abi.sentimentDoubt,
  abi.categoryEvidence,
  abi.reason,
  abi.sender,
  abi.recipient,
  abi.refusal,
  abi.inReplyTo,
  prov.wasAssociatedWith,
  abi.Customer,
  abi.Person,
  abi.HeldMail,
  prov.Person,
  prov.SoftwareAgent,
  abi.Store,
];

it("every term of the vocabulary is either visible or hidden because it may identify a person", () => {
  const { feedback_data: part, ...others } = IMPERSONAL_DATA;
  expect(others).toEqual({});
  const visible = [...part!.properties, ...part!.classes];
  const names = (terms: readonly { value: string }[]) => terms.map(({ value }) => value).toSorted();
  const all = [...Object.values(abi), ...Object.values(prov)];
  expect(names([...visible, ...HIDDEN])).toEqual(names(all));
  // rdf:type is visible only for the visible classes.
  expect(names(visible)).not.toContain(rdf.type.value);
});

it("nothing that a customer or a colleague wrote, and nobody's name, can be seen in the stored data", async () => {
  const { workflow, id, pending, ontologyStore } = await startWaiting();
  await workflow.rejectResponse(id, { rendering: pending.rendering, by: "Ann Ford", reason: "Called Quill." });
  await workflow.getWorkflowResult(id);
  const text = "Great service, I love it. It would Quill be great.";
  const { workflow_id: other = "" } = await workflow.run(feedback({ feedback_id: "F-2", feedback_text: text }));
  const { result } = await ontologyStore.queryRunner.run({
    store: "feedback_data",
    sparql: "SELECT ?s ?p ?o { ?s ?p ?o }",
    visible: IMPERSONAL_DATA,
  });
  const seen = (result as Row[]).map((row) => Object.values(row).map(({ value }) => decodeURIComponent(value)));
  expect(seen.flat().join("\n")).toContain(other.slice(0, 20));
  expect(seen.filter((values) => values.some((value) => /Ann|Ford|Quill|great/i.test(value)))).toEqual([]);
});
