import type { DynamicStructuredTool } from "@langchain/core/tools";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { select } from "../../../src/ontology/queries.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import { referenceKey, referenceOf } from "../../../src/workflows/customer-feedback/reference.ts";
import { feedback, startFeedback, values } from "../../support/feedback.ts";
import { shaclViolations } from "../../support/shacl.ts";

const LONG_ID = "auto-0123456789abcdef0123456789abcdef";
const SPEAKABLE = /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/;

describe("the reference of a piece of feedback", () => {
  it.each(["F-1", "4711", "2026/05-0001", "ticket#77", "x".repeat(20)])(
    "is the id if people can say that: %j",
    (id) => {
      expect(referenceOf(id)).toBe(id);
    },
  );

  it.each([LONG_ID, "x".repeat(21), "<0a1b@mail.example>", "Ünï", "F  1", " F-1", "😀", "a\u200Bb"])(
    "is a short code if people can't say the id: %j",
    (id) => {
      expect(referenceOf(id)).toMatch(SPEAKABLE);
      expect(referenceOf(id)).toBe(referenceOf(id));
      expect(referenceOf(id)).not.toBe(referenceOf(`${id}x`));
    },
  );

  it("stays the same in every version, because customers have it in writing", () => {
    expect(referenceOf(LONG_ID)).toBe("WDVR0-4D3CC");
  });

  it("is recognized however it is read out and written down", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 21, maxLength: 200 }), (id) => {
        const reference = referenceOf(id);
        const heard = reference.toLowerCase().replaceAll("0", "o").replaceAll("1", "l").replace("-", " – ");
        expect(referenceKey(heard)).toBe(referenceKey(reference));
        expect(referenceKey(reference)).toHaveLength(10);
      }),
    );
    expect(referenceKey("f-1OO1")).toBe(referenceKey("F-1001"));
    expect(referenceKey(" -– ")).toBe("");
  });
});

describe("references in the workflow", () => {
  it("are in the email, where the customer is asked to quote them, the result and the graph", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    const [tool] = workflow.as_tools() as [DynamicStructuredTool];
    const args = feedback({ feedback_id: null });
    const { artifact } = await tool.invoke({ type: "tool_call", id: "1", name: tool.name, args });
    const { feedback_id, reference } = artifact as { feedback_id: string; reference: string };
    expect(feedback_id).toMatch(/^auto-/);
    expect(reference).toBe(referenceOf(feedback_id));
    const { parsed } = mails.mails[0]!;
    for (const part of [parsed.text!, String(parsed.html)]) {
      expect(part).toContain(reference);
      expect(part).not.toContain(feedback_id);
    }
    expect(await values(ontologyStore, "Feedback", "abi:reference")).toEqual([reference]);
    const byReference = `${PREFIXES} SELECT ?id { ?feedback abi:reference ?reference ; abi:id ?id }`;
    const [row] = await select(ontologyStore, "feedback_data", byReference, { reference });
    expect(row?.["id"]?.value).toBe(feedback_id);
    expect(await shaclViolations(await ontologyStore.getGraph("feedback_data"))).toEqual([]);
  });

  it("are the id itself if that is short, and then are no separate field", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    expect(await workflow.run(feedback())).not.toHaveProperty("reference");
    expect(mails.mails[0]!.parsed.text).toMatch(/Reference: F-1\n/);
    expect(await values(ontologyStore, "Feedback", "abi:reference")).toEqual([]);
    expect(await values(ontologyStore, "Feedback", "abi:reference|abi:id")).toEqual(["F-1"]);
  });

  it("find the run, or both runs if two share a reference", async () => {
    const { workflow } = await startFeedback();
    await workflow.run(feedback({ feedback_id: LONG_ID }));
    await workflow.run(feedback({ feedback_id: "F-1001" }));
    await workflow.run(feedback({ feedback_id: "f-1oo1" }));
    const find = async (reference: string) =>
      (await workflow.findByReference(reference)).map(({ feedback_id }) => feedback_id);
    expect(await find(referenceOf(LONG_ID).toLowerCase().replace("-", ""))).toEqual([LONG_ID]);
    expect((await find("F-1001")).toSorted()).toEqual(["F-1001", "f-1oo1"]);
    expect(await find("F-404")).toEqual([]);
    expect(await find("---")).toEqual([]);
  });
});

describe("a customer without a name", () => {
  it.each(["", " ", "\u200B", "\u2800", "\u00A0\u3164\t"])("is greeted without one: %j", async (name) => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    await ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT { ?c a abi:Customer ; abi:id "blank" ; abi:name ?name ; abi:email "blank@example.org" } WHERE { BIND(<http://example.org/abi/Customer/blank> AS ?c) }`,
      { name },
    );
    const cases = [
      { sentiment: "negative" },
      { sentiment: "neutral" },
      {},
      { categories: ["bug"] },
      { customer_id: "C-nameless" },
    ];
    for (const [index, fields] of cases.entries()) {
      await workflow.run(feedback({ feedback_id: `F-${index}`, customer_id: "blank", ...fields }));
      const { parsed } = mails.mails[index]!;
      expect(parsed.text).toMatch(/\n\nHello,\n\n/);
      expect(String(parsed.html)).toMatch(/>\s*Hello,\s*<\/p>/);
    }
  });

  it("is greeted by name once there is one", async () => {
    const { workflow, mails } = await startFeedback();
    await workflow.run(feedback());
    expect(mails.mails[0]!.parsed.text).toMatch(/\n\nHello Ada Lovelace,\n\n/);
  });
});
