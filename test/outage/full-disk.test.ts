import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { OxigraphOntologyStore } from "../../src/index.ts";
import { CustomerDataPipeline } from "../../src/pipelines/customer-data-pipeline.ts";
import { RecordingSource, feedback, startFeedback, values } from "../support/feedback.ts";
import { failures, PATIENT } from "./failures.ts";
import { canMount, smallDisk } from "./full-disk.ts";

/** The graph's file on a small disk. */
async function startOnDisk(folder: string) {
  const ontologyStore = await OxigraphOntologyStore.open({ path: join(folder, "ontology.sqlite") });
  onTestFinished(() => ontologyStore.close());
  const customerDataPipeline = new CustomerDataPipeline({ customerSource: new RecordingSource(), ontologyStore });
  const started = await startFeedback({ ontologyStore, customerDataPipeline }, { retry: PATIENT });
  return { ...started, ontologyStore };
}

describe.skipIf(!canMount())("while the disk is full (skipped without Linux and root, which mounting requires)", () => {
  it("under the graph, the run reports it, waits, and continues when there is space", async () => {
    const disk = smallDisk();
    const { workflow, engine, ontologyStore, mails } = await startOnDisk(disk.folder);
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    disk.fill();
    const failed = failures(engine, "feedback_stored", 2);
    const long = { feedback_id: "F-2", feedback_text: "I love it! ".repeat(1800) };
    const id = await workflow.startWorkflow(feedback(long));
    await failed;
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({
      status: "processing",
      current_step: "feedback_stored",
    });
    const history = await workflow.getWorkflowHistory(id);
    const attempt = history.find(({ step }) => step === "feedback_stored");
    expect(attempt).toMatchObject({
      error: expect.stringContaining("disk is full or failing"),
      error_type: "io_error",
    });
    // Existing data can be read, and nothing of the failed write is there.
    expect(await values(ontologyStore, "Feedback", "abi:id")).toEqual(["F-1"]);

    disk.free();
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect(await values(ontologyStore, "Feedback", "abi:id")).toEqual(["F-1", "F-2"]);
    expect(mails.mails).toHaveLength(2);
    await ontologyStore.close();
    const reopened = await OxigraphOntologyStore.open({ path: join(disk.folder, "ontology.sqlite") });
    expect(await values(reopened, "Feedback", "abi:responseSent")).toEqual(["true", "true"]);
    await reopened.close();
  });

  it("under the runs, nothing is accepted that can't be stored, and accepted runs continue", async () => {
    const disk = smallDisk();
    const { workflow, engine, mails } = await startFeedback(
      {},
      { retry: PATIENT, runs: join(disk.folder, "runs.sqlite") },
    );
    onTestFinished(() => engine.close());
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    mails.script("data", { after: answer });
    const arrived = mails.reached("data");
    const id = await workflow.startWorkflow(feedback());
    await arrived;
    disk.fill();
    const refused = await workflow.run(feedback({ feedback_id: "F-2", feedback_text: "I love it! ".repeat(1800) }));
    resolve();
    expect(refused).toMatchObject({
      success: false,
      error_type: "io_error",
      retriable: true,
      steps_completed: [],
      error: expect.stringContaining("its disk is full"),
    });
    disk.free();
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toMatchObject({ success: true });
    expect(mails.mails).toHaveLength(2);
    // It tolerates the full disk for a while.
  });

  it("under the runs just after the mail server has accepted an email, that is recorded when there is space, and the email is not sent again", async () => {
    const disk = smallDisk();
    const tried = Promise.withResolvers<void>();
    const write = (line: string): void => void (line.includes("does not store what a run has done") && tried.resolve());
    const { workflow, engine, mails } = await startFeedback(
      {},
      { retry: PATIENT, runs: join(disk.folder, "runs.sqlite"), logger: pino({ level: "warn" }, { write }) },
    );
    onTestFinished(() => engine.close());
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    mails.script("data", { after: answer });
    const arrived = mails.reached("data");
    const id = await workflow.startWorkflow(feedback());
    await arrived;
    disk.fill();
    resolve();
    await tried.promise;
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({ status: "processing", current_step: "response_sent" });
    disk.free();
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({ success: true, action: "auto_respond" });
    expect(mails.mails.map(({ parsed }) => parsed.messageId)).toEqual([result.response_id]);
  });
});
