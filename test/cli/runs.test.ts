import { expect, it } from "vitest";
import { findRun, findRunOf } from "../../src/cli/runs.ts";
import { referenceOf } from "../../src/workflows/customer-feedback/reference.ts";
import { feedback, startFeedback } from "../support/feedback.ts";

const LONG_ID = "auto-0123456789abcdef0123456789abcdef";

it("a run is found by workflow id, feedback id, and the reference that a customer quotes, however it is spelled", async () => {
  const { workflow, engine } = await startFeedback();
  const workflowId = await workflow.startWorkflow(feedback({ feedback_id: LONG_ID }));
  await workflow.getWorkflowResult(workflowId);
  const reference = referenceOf(LONG_ID);
  const spoken = reference.toLowerCase().replace("-", " ").replaceAll("0", "o");
  for (const id of [workflowId, LONG_ID, reference, spoken]) {
    expect(await findRun(engine, id)).toMatchObject({ key: LONG_ID });
    expect(await findRunOf(workflow, id)).toMatchObject({ workflow_id: workflowId });
  }
  for (const id of ["F-404", "-", ""]) {
    expect(await findRun(engine, id)).toBeUndefined();
    expect(await findRunOf(workflow, id)).toBeUndefined();
  }
  expect(await findRun(undefined, reference)).toBeUndefined();
});

it("where two have the same reference, an id of either finds it, and another spelling asks which", async () => {
  const { workflow, engine } = await startFeedback();
  for (const feedback_id of ["F-10", "F-IO"]) await workflow.run(feedback({ feedback_id }));
  expect(await findRun(engine, "F-10")).toMatchObject({ key: "F-10" });
  const unclear = { code: "ambiguous_reference", message: expect.stringContaining("F-IO, F-10") };
  await expect(findRun(engine, "f 1o")).rejects.toMatchObject(unclear);
  await expect(findRunOf(workflow, "f 1o")).rejects.toMatchObject(unclear);
});
