import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { by, pendingOf } from "../../support/approval.ts";
import { feedback, startFeedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";

it("feedback is processed without loading Oxigraph, on every interface", async () => {
  const { WebAssembly: host } = globalThis as unknown as { WebAssembly: { Module: () => void } };
  const loads = vi.spyOn(host, "Module");
  onTestFinished(() => loads.mockRestore());
  const path = join(temporaryFolder(), "ontology.sqlite");
  const open = () => OxigraphOntologyStore.open({ path });
  await (await open()).close();

  const ontologyStore = await open();
  const { workflow, mails } = await startFeedback({ ontologyStore });
  expect(await workflow.run(feedback())).toHaveProperty("response_id");
  expect(await workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-vip" }))).toHaveProperty("ticket_id");
  expect(await workflow.run(feedback({ feedback_id: "F-3", customer_id: "C-unknown" }))).toHaveProperty("error");
  const batch = [4, 5, 6].map((n) => feedback({ feedback_id: `F-${n}`, customer_id: "C-5000" }));
  for await (const { success } of workflow.runBatch(batch)) expect(success).toBe(true);
  const [tool] = workflow.as_tools();
  await tool!.invoke(feedback({ feedback_id: "F-7" }));
  await workflow.handleEvent("feedback_response", { feedback_id: "F-7", response_text: "We look into it." });
  expect(mails.mails).toHaveLength(6);
  await ontologyStore.close();

  const store = await open();
  const approving = await startFeedback({ ontologyStore: store, approval: true });
  const { workflow_id: id = "" } = await approving.workflow.run(feedback({ feedback_id: "F-8" }));
  const { rendering } = await pendingOf(approving.workflow, id);
  await approving.workflow.editResponse(id, { rendering, by, text: "Thank you." });
  expect(await approving.workflow.getWorkflowResult(id)).toHaveProperty("response_id");
  expect(loads).not.toHaveBeenCalled();

  await store.query("feedback_data", "ASK { ?s ?p ?o }");
  expect(loads).toHaveBeenCalledTimes(1);
});
