import { describe, expect, it, onTestFinished } from "vitest";
import { createTicketSystem, OxigraphOntologyStore } from "../../src/index.ts";
import { WebhookTicketSystem } from "../../src/integrations/tickets/webhook-ticket-system.ts";
import { feedback, startFeedback, values } from "../support/feedback.ts";
import { serve, type Reply } from "../support/http.ts";
import { failures, PATIENT } from "./failures.ts";

const taken: Reply = { status: 201, json: { id: "T-1" } };
const broken: Reply = (_, response) => void response.destroy();
const escalated = feedback({ customer_id: "C-vip" });

/** Only the engine retries, so that every refusal is visible. */
const webhook = (url: string) => new WebhookTicketSystem({ url, retries: 0, timeoutMs: 60_000 });

describe("while the ticket system", () => {
  it("comes and goes, one ticket is created under one key, and the customer is told once", async () => {
    const down: Reply = { status: 503 };
    const server = await serve(down, broken, { status: 429 }, down, { status: 500 }, broken, taken);
    const ticketSystem = webhook(server.origin);
    const { workflow, engine, ontologyStore, mails } = await startFeedback({ ticketSystem }, { retry: PATIENT });
    const failed = failures(engine, "ticket_created");
    const id = await workflow.startWorkflow(escalated);
    await failed;
    expect(mails.mails).toHaveLength(0);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: { ticket_id: "T-1" } });
    expect(server.requests.map(({ headers }) => headers["idempotency-key"])).toEqual(
      Array.from({ length: 7 }, () => "F-1"),
    );
    expect(await values(ontologyStore, "Ticket", "abi:id")).toEqual(["T-1"]);
    expect(mails.mails).toHaveLength(1);
    const attempts = (await workflow.getWorkflowHistory(id)).filter(({ step }) => step === "ticket_created");
    expect(attempts.map(({ status }) => status)).toEqual([...Array.from({ length: 6 }, () => "failed"), "completed"]);
    expect(attempts[0]).toMatchObject({ error_type: "io_error", error: expect.stringContaining("HTTP 503") });
  });

  it("fails for a moment, the step itself retries and does not fail", async () => {
    const server = await serve({ status: 503 }, taken);
    const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
    const { workflow } = await startFeedback({ ticketSystem: createTicketSystem(server.origin, { ontologyStore }) });
    expect(await workflow.run(escalated)).toMatchObject({ success: true, ticket_id: "T-1" });
    expect(server.requests).toHaveLength(2);
    await ontologyStore.close();
  });

  it("asks for a delay, the step waits that long without occupying a worker", async () => {
    const busy = (seconds: string): Reply => ({ status: 429, headers: { "retry-after": seconds } });
    const server = await serve(busy("1"), busy("60"), taken);
    const { workflow, engine } = await startFeedback({ ticketSystem: webhook(server.origin) }, { retry: PATIENT });
    const { promise: twice, resolve } = Promise.withResolvers<void>();
    const times: number[] = [];
    const delays: number[] = [];
    onTestFinished(
      engine.onStep(({ step, phase, retryInMs = 0 }) => {
        if (step !== "ticket_created" || phase !== "failed") return;
        times.push(performance.now());
        if (delays.push(retryInMs) === 2) resolve();
      }),
    );
    const id = await workflow.startWorkflow(escalated);
    await twice;
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1000);
    expect(delays[1]).toBeGreaterThanOrEqual(60_000);
    expect(delays[1]).toBeLessThan(61_000);
    await workflow.cancelWorkflow(id);
    expect(server.requests).toHaveLength(2);
  });

  it("refuses the ticket, the run fails permanently without an email, and continues when the problem is fixed", async () => {
    const server = await serve({ status: 422 }, taken);
    const { workflow, mails, source } = await startFeedback({ ticketSystem: webhook(server.origin) });
    expect(await workflow.run(escalated)).toMatchObject({
      success: false,
      error_code: "ticket_rejected",
      error_type: "validation_error",
      retriable: false,
    });
    expect(mails.mails).toHaveLength(0);
    expect(await workflow.run(escalated)).toMatchObject({ success: true, ticket_id: "T-1" });
    expect(mails.mails).toHaveLength(1);
    expect(source.asked).toEqual(["C-vip"]);
  });
});
