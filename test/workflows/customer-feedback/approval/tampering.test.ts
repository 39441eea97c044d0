import { describe, expect, it } from "vitest";
import type { OntologyStore } from "../../../../src/ontology/ontology-store.ts";
import { by, deleteDrafts, pendingOf, setDrafts, startWaiting } from "../../../support/approval.ts";
import { startFeedback } from "../../../support/feedback.ts";

describe("the approval step", () => {
  it.each([
    ["sender", "eve@evil.example"],
    ["recipient", "eve@evil.example"],
    ["subject", "Buy now!"],
    ["text", "Buy now!"],
    ["html", "<p>Buy now!</p>"],
    ["messageId", "<other@shop.example>"],
    ["inReplyTo", "<other@mail.example>"],
  ])(
    "neither shows nor sends an email of which just the %s was changed in the graph, but lets people reject it",
    async (field, value) => {
      const { workflow, mails, ontologyStore } = await startFeedback({ approval: true });
      const event = { id: "F-1", customer_id: "C-1", subject: "Hi", text: "Great!", message_id: "<q@mail.example>" };
      const { workflow_id: id } = (await workflow.handleEvent("new_feedback", event)) as { workflow_id: string };
      const { rendering } = await pendingOf(workflow, id);
      await setDrafts(ontologyStore, `abi:${field}`, value);
      const changed = { type: "conflict", code: "draft_changed", message: expect.stringContaining(rendering) };
      await expect(workflow.getPendingResponse(id)).rejects.toMatchObject(changed);
      await expect(workflow.approveResponse(id, { rendering, by })).rejects.toMatchObject(changed);
      await expect(workflow.editResponse(id, { rendering, by, text: "Mine." })).rejects.toMatchObject(changed);
      await workflow.rejectResponse(id, { rendering, by });
      const result = await workflow.getWorkflowResult(id);
      expect(result).toMatchObject({ success: true, response_withheld: "rejected by Ann Ford" });
      expect(mails.mails).toEqual([]);
    },
  );

  it.each<[string, (store: OntologyStore) => Promise<void>]>([
    ["lost one of its parts", (store) => setDrafts(store, "abi:text")],
    ["was deleted", deleteDrafts],
  ])("says so if the waiting email %s in the graph, and lets people reject it", async (_, spoil) => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    const { rendering } = pending;
    await spoil(ontologyStore);
    const changed = { type: "conflict", code: "draft_changed", message: expect.stringContaining(rendering) };
    await expect(workflow.getPendingResponse(id)).rejects.toMatchObject(changed);
    await expect(workflow.approveResponse(id, { rendering, by })).rejects.toMatchObject(changed);
    const other = workflow.rejectResponse(id, { rendering: "0".repeat(64), by });
    await expect(other).rejects.toMatchObject({ code: "decision_outdated" });
    const rejected = await workflow.rejectResponse(id, { rendering, by });
    const result = await workflow.getWorkflowResult(id);
    expect(result).toMatchObject({ success: true, response_withheld: "rejected by Ann Ford" });
    expect(await workflow.rejectResponse(id, { rendering, by })).toEqual(rejected);
    expect(await workflow.getPendingResponse(id)).toBeUndefined();
    expect(mails.mails).toEqual([]);
  });
});
