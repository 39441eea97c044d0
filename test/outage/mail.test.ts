import { pino } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { pendingOf, startWaiting } from "../support/approval.ts";
import { feedback, startFeedback, values } from "../support/feedback.ts";
import { freePort } from "../support/free-port.ts";
import { startSmtpServer, type Answer, type Stage } from "../support/smtp.ts";
import { failures, PATIENT } from "./failures.ts";

const BEFORE_THE_MAIL = ["customer_data_retrieved", "sentiment_analyzed", "feedback_categorized", "feedback_stored"];
const never = new Promise<void>(() => {});

describe("while the mail server", () => {
  it("is down, the run reports it, waits and continues when it is back", async () => {
    const port = await freePort();
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

  it("stays down longer than the retries, the run fails as retriable, and continues when it is submitted again", async () => {
    const port = await freePort();
    const { workflow, source } = await startFeedback({ mailRetryForMs: 0 }, { mailUrl: `smtp://127.0.0.1:${port}` });
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
  ])("%s, the email is retried until it is accepted, once", async (_, script) => {
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

  it("accepts the email and drops the connection before confirming, the same email is sent again under the same Message-ID", async () => {
    const { workflow, ontologyStore, mails } = await startFeedback({}, { retry: PATIENT });
    mails.script("accepted", { drop: true });
    const { response_id } = await workflow.run(feedback());
    expect(mails.mails.map(({ parsed }) => parsed.messageId)).toEqual([response_id, response_id]);
    expect(await values(ontologyStore, "Feedback", "abi:responseId")).toEqual([response_id]);
    expect(await values(ontologyStore, "Feedback", "abi:responseTime")).toHaveLength(1);
  });

  it("refuses this email permanently, the run fails permanently with advice, and continues when the problem is fixed", async () => {
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

  it("never answers, the email is retried after the time-out", async () => {
    const mails = await startSmtpServer();
    onTestFinished(() => mails.close());
    mails.script("data", { after: never });
    const { workflow } = await startFeedback({}, { mailUrl: mails.url("?timeout=5000") });
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    expect(mails.mails).toHaveLength(1);
  });
});

const MINUTE = 60_000;
/** One ordinary attempt, and the next one is far off. */
const ONCE = { attempts: 1, initialDelayMs: 60 * MINUTE, maximumDelayMs: 60 * MINUTE };

/** Only Date changes: timers continue, and the engine checks the clock every second. */
function setClockAhead(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms, shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
}

async function startDown(configuration: Parameters<typeof startFeedback>[0] = {}) {
  const port = await freePort();
  const started = await startFeedback(configuration, { retry: ONCE, mailUrl: `smtp://127.0.0.1:${port}` });
  const bringUp = async () => {
    const server = await startSmtpServer({ port });
    onTestFinished(() => server.close());
    return server;
  };
  return { ...started, bringUp };
}

describe("while the mail server is unavailable for longer than callers wait", () => {
  it("callers are told that the email is retried automatically, and the run continues", async () => {
    const { workflow, engine, bringUp } = await startDown();
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({
      feedback_id: "F-1",
      success: false,
      status: "processing",
      error_code: "mail_unavailable",
      error_type: "io_error",
      retriable: true,
      steps_completed: BEFORE_THE_MAIL,
      workflow_id: expect.stringMatching(/^workflow-/),
    });
    expect(Date.parse(result.retry_until!) - Date.now()).toBeGreaterThan(23 * 60 * MINUTE);
    expect(result.error).toMatch(
      /refused the connection\..* The email will be retried automatically until \d{4}-\d\d-\d\d \d\d:\d\d UTC; you don't have to submit anything again\.$/,
    );
    const status = await workflow.getWorkflowStatus(result.workflow_id!);
    expect(status).toMatchObject({
      status: "processing",
      current_step: "response_sent",
      steps_completed: BEFORE_THE_MAIL,
      failing: { step: "response_sent", attempts: 1, error_code: "mail_unavailable", until: result.retry_until },
    });
    expect(Date.parse(status.failing!.next_try!) - Date.parse(status.failing!.since)).toBeLessThanOrEqual(15 * MINUTE);

    const server = await bringUp();
    setClockAhead(16 * MINUTE);
    await expect.poll(() => server.mails.length, { timeout: 30_000 }).toBe(1);
    await expect.poll(async () => (await engine.get(result.workflow_id!))?.status).toBe("completed");
    const { failing } = await workflow.getWorkflowStatus(result.workflow_id!);
    expect(failing).toBeUndefined();
  });

  it("the same feedback submitted again is retried at once, and gets the same kind of answer or the result", async () => {
    const { workflow, bringUp } = await startDown();
    const first = await workflow.run(feedback());
    expect(await workflow.run(feedback())).toMatchObject({ status: "processing", workflow_id: first.workflow_id });
    const server = await bringUp();
    expect(await workflow.run(feedback())).toMatchObject({
      success: true,
      steps_completed: [...BEFORE_THE_MAIL, "response_sent"],
    });
    expect(server.mails).toHaveLength(1);
    const attempts = (await workflow.getWorkflowHistory(first.workflow_id!)).filter(
      ({ step }) => step === "response_sent",
    );
    expect(attempts.map(({ status }) => status)).toEqual(["failed", "failed", "completed"]);
  });

  it("a batch continues with the next item, and no waiting item has failed", async () => {
    const { workflow, bringUp } = await startDown({ maxParallelRequests: 2 });
    const progress: { completed: number; failed: number }[] = [];
    const items = [1, 2, 3, 4, 5].map((n) => feedback({ feedback_id: `F-${n}`, send_response: n !== 3 }));
    const results = await Array.fromAsync(workflow.runBatch(items, { onProgress: (done) => progress.push(done) }));
    expect(results.map(({ status }) => status)).toEqual([
      "processing",
      "processing",
      undefined,
      "processing",
      "processing",
    ]);
    expect(progress.at(-1)).toEqual({ completed: 5, failed: 0 });
    const server = await bringUp();
    const ids = results.flatMap(({ workflow_id }) => workflow_id ?? []);
    for (const id of ids) expect(await workflow.retryWorkflow(id)).toBe(true);
    await expect.poll(() => server.mails.length, { timeout: 30_000 }).toBe(4);
  });

  it("the run fails once its budget has passed, and not before", async () => {
    const { workflow, engine } = await startDown({ mailRetryForMs: 60 * MINUTE });
    const { workflow_id: id = "" } = await workflow.run(feedback());
    let passed = 0;
    for (; passed <= 80; passed += 8) {
      const { failing } = (await engine.get(id))!;
      setClockAhead(8 * MINUTE);
      await expect
        .poll(async () => (await engine.get(id))?.failing?.attempts, { timeout: 30_000 })
        .not.toBe(failing?.attempts);
      if ((await engine.get(id))?.status !== "processing") break;
    }
    expect(passed).toBeGreaterThanOrEqual(52);
    expect(passed).toBeLessThanOrEqual(80);
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({ status: "failed", error_code: "mail_unavailable" });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ success: false, retriable: true });
  });

  it("a run is cancelled at once, and sends nothing when the server is back", async () => {
    const { workflow, engine, bringUp } = await startDown();
    const { workflow_id: id = "" } = await workflow.run(feedback());
    expect(await workflow.cancelWorkflow(id)).toBe(true);
    expect(await engine.get(id)).toMatchObject({ status: "cancelled" });
    const server = await bringUp();
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toMatchObject({ success: true });
    expect(server.mails).toHaveLength(1);
  });

  it("an approved email stays approved, and is sent as approved", async () => {
    const { workflow, mails, id, pending } = await startWaiting({}, {}, { retry: ONCE });
    mails.greylists = true;
    await workflow.approveResponse(id, { rendering: pending.rendering, by: "Grace" });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ success: false, status: "processing" });
    await expect(pendingOf(workflow, id)).rejects.toThrow("nothing waits");
    mails.greylists = false;
    expect(await workflow.retryWorkflow(id)).toBe(true);
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    expect(mails.mails.map(({ parsed }) => parsed.text)).toEqual([pending.text]);
  });
});

describe("while the mail server", () => {
  it("greylists us, callers are not kept waiting, and the email is not retried too early", async () => {
    const { workflow, engine, mails } = await startFeedback();
    mails.greylists = true;
    const { workflow_id: id = "", status } = await workflow.run(feedback());
    expect(status).toBe("processing");
    const { nextTry, since, attempts } = (await engine.get(id))!.failing!;
    expect(attempts).toBe(1);
    expect(nextTry!.getTime() - since.getTime()).toBeGreaterThanOrEqual(300_000);
    mails.greylists = false;
    setClockAhead(6 * MINUTE);
    await expect.poll(() => mails.mails.length, { timeout: 30_000 }).toBe(1);
  });

  it("allows only one connection, every email is sent at its first attempt", async () => {
    const server = await startSmtpServer({ connectionLimit: 1 });
    onTestFinished(() => server.close());
    const { workflow } = await startFeedback({ maxParallelRequests: 8, responseCap: false }, { mailUrl: server.url() });
    const items = Array.from({ length: 16 }, (_, n) => feedback({ feedback_id: `F-${n}` }));
    for await (const result of workflow.runBatch(items)) expect(result).toMatchObject({ success: true });
    expect(server.mails).toHaveLength(16);
    expect(server.turnedAway).toBeGreaterThan(0);
    for (const { workflow_id } of await workflow.listWorkflows()) {
      const sent = (await workflow.getWorkflowHistory(workflow_id)).filter(({ step }) => step === "response_sent");
      expect(sent.map(({ status }) => status)).toEqual(["completed"]);
    }
  });

  it("does not let us send, the run does not fail, and the recipient's address is not blamed", async () => {
    const { workflow, mails } = await startFeedback({}, { retry: ONCE });
    mails.script("rcpt", { code: 550, text: "5.4.5 Daily user sending limit exceeded" });
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({ success: false, status: "processing", error_code: "mail_unavailable" });
    expect(result.error).toMatch(/does not let us send \(550\) 5\.4\.5: a limit/);
  });
});

describe("the log at level warn", () => {
  /** What was logged, and the workflow with it. */
  async function startLogged(retry = PATIENT) {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
    const started = await startFeedback({ responseCap: false }, { retry, logger: pino({ level: "warn" }, { write }) });
    return { ...started, lines };
  }

  it("has the server's message once for each reason, however many attempts and runs it stops, and no address", async () => {
    const { workflow, mails, lines } = await startLogged();
    const words = { code: 451, text: "4.3.0 <ada@example.org> try later, says ADA@EXAMPLE.ORG's server" };
    mails.script("rcpt", ...Array.from({ length: 40 }, () => words), { code: 452, text: "4.3.1 disk full" });
    await Array.fromAsync(workflow.runBatch([1, 2, 3].map((n) => feedback({ feedback_id: `F-${n}` }))));
    expect(mails.mails).toHaveLength(3);
    expect(lines.map(({ msg }) => msg)).toEqual([
      expect.stringContaining("(451) 4.3.0"),
      expect.stringContaining("(452) 4.3.1"),
    ]);
    expect(lines[0]).toMatchObject({
      step: "response_sent",
      code: "mail_unavailable",
      failing_since: expect.any(String),
      runs_failing: 1,
      cause: { message: expect.stringContaining("try later") },
    });
    expect(JSON.stringify(lines)).not.toMatch(/ada@/i);
  });

  it("has the server's message if an email is refused permanently", async () => {
    const { workflow, mails, lines } = await startLogged();
    mails.script("rcpt", { code: 550, text: "5.1.1 <Ada@example.org> is nobody here" });
    expect(await workflow.run(feedback())).toMatchObject({ error_code: "mail_rejected" });
    expect(lines).toMatchObject([
      { code: "mail_rejected", cause: { message: expect.stringContaining("nobody here") } },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/ada@/i);
  });
});
