import { expect, it } from "vitest";
import { abi, prov, rdf } from "../../../src/ontology/vocabulary.ts";
import { IMPERSONAL_DATA } from "../../../src/workflows/customer-feedback/visible-data.ts";

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
