import { describe, expect, it, onTestFinished } from "vitest";
import { feedback, startFeedback, values } from "../support/feedback.ts";
import { startSmtpServer, unusedPort, type Answer, type Stage } from "../support/smtp.ts";
import { failures, PATIENT } from "./failures.ts";

const BEFORE_THE_MAIL = ["customer_data_retrieved", "sentiment_analyzed", "feedback_categorized", "feedback_stored"];
const never = new Promise<void>(() => {});

describe("while the mail server", () => {
  it("is down, the run says so, waits and goes on when it is back", async () => {
    const port = await unusedPort();
    const { workflow, engine, ontologyStore } = await startFeedback(
      {},
      { retry: PATIENT, mailUrl: `smtp://127.0.0.1:${port}` },
    );
    const refused = failures(engine, "response_sent", 3);
    const id = await workflow.startWorkflow(feedback());
    await refused;
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({
      status: "processing",
      current_step: "response_sent",
      steps_completed: BEFORE_THE_MAIL,
    });
    expect((await workflow.getWorkflowHistory(id)).find(({ step }) => step === "response_sent")).toMatchObject({
      status: "failed",
      error: expect.stringContaining("refused the connection"),
      error_type: "io_error",
      retriable: true,
    });
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual([]);

    const server = await startSmtpServer({ port });
    onTestFinished(() => server.close());
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect(server.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Feedback", "abi:id")).toEqual(["F-1"]);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual(["true"]);
  });

  it("stays down longer than we try, the run fails as one that may be submitted again, and then goes on", async () => {
    const port = await unusedPort();
    const { workflow, source } = await startFeedback({}, { mailUrl: `smtp://127.0.0.1:${port}` });
    expect(await workflow.run(feedback())).toMatchObject({
      success: false,
      error_type: "io_error",
      retriable: true,
      steps_completed: BEFORE_THE_MAIL,
    });
    const server = await startSmtpServer({ port });
    onTestFinished(() => server.close());
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    expect(server.mails).toHaveLength(1);
    expect(source.asked).toEqual(["C-1"]);
  });

  it.each<[string, [Stage, Answer][]]>([
    [
      "is greylisting (4xx)",
      [
        ["rcpt", { code: 451 }],
        ["mail", { code: 450 }],
        ["data", { code: 452 }],
      ],
    ],
    [
      "turns us away at the door (421, 554)",
      [
        ["connect", { code: 421 }],
        ["connect", { code: 554 }],
      ],
    ],
    ["refuses our sender (5xx)", [["mail", { code: 550 }]]],
    [
      "drops the connection after DATA",
      [
        ["data", { drop: true }],
        ["data", { drop: true }],
      ],
    ],
  ])("%s, the mail is tried again until it is taken, once", async (_, script) => {
    const { workflow, ontologyStore, mails } = await startFeedback({}, { retry: PATIENT });
    for (const [stage, answer] of script) mails.script(stage, answer);
    const id = await workflow.startWorkflow(feedback());
    expect(await workflow.run(feedback())).toMatchObject({ success: true, duplicate: true });
    expect(mails.mails).toHaveLength(1);
    const attempts = (await workflow.getWorkflowHistory(id)).filter(({ step }) => step === "response_sent");
    expect(attempts.map(({ status }) => status)).toEqual([...Array.from(script, () => "failed"), "completed"]);
    for (const { status, retriable } of attempts) expect(retriable).toBe(status === "failed" ? true : undefined);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual(["true"]);
  });

  it("takes the mail and drops the connection before it says so, the same mail comes again under the same Message-ID", async () => {
    const { workflow, ontologyStore, mails } = await startFeedback({}, { retry: PATIENT });
    mails.script("accepted", { drop: true });
    const { response_id } = await workflow.run(feedback());
    expect(mails.mails.map(({ parsed }) => parsed.messageId)).toEqual([response_id, response_id]);
    expect(await values(ontologyStore, "Feedback", "abi:responseId")).toEqual([response_id]);
    expect(await values(ontologyStore, "Feedback", "abi:responseTime")).toHaveLength(1);
  });

  it("refuses this mail for good, the run fails for good with what to do, and goes on when that is mended", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback({}, { retry: PATIENT });
    mails.script("rcpt", { code: 550, text: "5.1.1 ada@example.org unknown" });
    const refused = await workflow.run(feedback());
    expect(refused).toMatchObject({
      success: false,
      error_code: "mail_rejected",
      error_type: "validation_error",
      retriable: false,
      error: expect.stringContaining("Check the recipient's address"),
    });
    expect(refused.error).not.toContain("ada@");
    expect(await workflow.run(feedback())).toMatchObject({ success: true, action: "auto_respond" });
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Feedback", "abi:timestamp")).toHaveLength(1);
  });

  it("is slow, the run waits for it and sends nothing twice", async () => {
    const { workflow, engine, mails } = await startFeedback();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    mails.script("data", { after: answered });
    const arrived = mails.reached("data");
    const id = await workflow.startWorkflow(feedback());
    await arrived;
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({ status: "processing", current_step: "response_sent" });
    answer();
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect(mails.mails).toHaveLength(1);
  });

  it("never answers, the mail is tried again after the time-out", async () => {
    const mails = await startSmtpServer();
    onTestFinished(() => mails.close());
    mails.script("data", { after: never });
    const { workflow } = await startFeedback({}, { mailUrl: mails.url("?timeout=5000") });
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    expect(mails.mails).toHaveLength(1);
  });
});
