import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DurableEngine } from "../../../src/engine/durable-engine.ts";
import { IoError } from "../../../src/errors.ts";
import { feedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { SECRETS, startHttpService, type HttpService } from "../../support/http-service.ts";
import { eventsOf, type ServerSentEvent } from "../../support/server-sent-events.ts";

interface Stream {
  next: () => Promise<ServerSentEvent>;
  /** Reads up to an event of this type, about this run if one is named. */
  until: (type: string, fields?: Record<string, unknown>) => Promise<ServerSentEvent>;
  rest: () => Promise<ServerSentEvent[]>;
  close: () => void;
}

async function follow({ url }: Pick<HttpService, "url">, lastEventId?: string): Promise<Stream> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(`${url}/runs/events`, {
    headers: {
      authorization: `Bearer ${SECRETS.reader}`,
      ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
    },
    signal: controller.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const events = eventsOf(response);
  const next = async (): Promise<ServerSentEvent> => {
    const { value, done } = await events.next();
    if (done) throw new Error("the stream has ended");
    return value;
  };
  return {
    next,
    until: async (type, fields = {}) => {
      for (;;) {
        const event = await next();
        if (event.event === type && Object.entries(fields).every(([name, value]) => event.data[name] === value))
          return event;
      }
    },
    rest: () => Array.fromAsync(events),
    close: () => controller.abort(),
  };
}

describe("the changes of all runs", () => {
  it("are sent as they happen, each with the run as in the list", async () => {
    const service = await startHttpService({ feedback: { approval: true } });
    const { workflow, call } = service;
    const stream = await follow(service);
    expect(await stream.next()).toMatchObject({ event: "reset", data: {} });
    const { workflow_id: id = "" } = await workflow.run(feedback());
    const waiting = await stream.until("run", { status: "waiting_for_approval" });
    const { body } = await call("GET", "/runs");
    expect(body["runs"]).toEqual([waiting.data]);
    expect(waiting.data).toMatchObject({ workflow_id: id, key: "F-1", workflow: "customer-feedback" });
    const { rendering } = (await workflow.getPendingResponse(id))!;
    await workflow.approveResponse(id, { rendering, by: "Ann" });
    await stream.until("run", { workflow_id: id, status: "completed" });
  });

  it("continue after the client's last event, with the current state of each run", async () => {
    const service = await startHttpService({ feedback: { approval: true } });
    const { workflow } = service;
    const before = await follow(service);
    const { id } = await before.next();
    before.close();
    const { workflow_id: first } = await workflow.run(feedback());
    const { workflow_id: second } = await workflow.run(feedback({ feedback_id: "F-2" }));
    const stream = await follow(service, id);
    const events = [await stream.next(), await stream.next()];
    expect(events).toMatchObject([
      { event: "run", data: { workflow_id: first, status: "waiting_for_approval" } },
      { event: "run", data: { workflow_id: second, status: "waiting_for_approval" } },
    ]);
    const later = await follow(service, events[0]!.id);
    expect(await later.next()).toEqual(events[1]);
    await workflow.cancelWorkflow(first!);
    expect(await later.next()).toMatchObject({ data: { workflow_id: first, status: "cancelled" } });
  });

  it("tell clients to reload the list after a restart, and if too much has changed for single events", async () => {
    const runs = join(temporaryFolder(), "runs.sqlite");
    const first = await startHttpService({ surroundings: { runs } });
    const { id } = await (await follow(first)).next();
    await first.close();
    await first.engine.close();

    const second = await startHttpService({ feedback: { ontologyStore: first.ontologyStore }, surroundings: { runs } });
    const again = await follow(second, id);
    const reset = await again.next();
    expect(reset).toMatchObject({ event: "reset", data: {} });
    again.close();
    const items = Array.from({ length: 201 }, (_, n) => ({ refund_id: `R-${n}`, order_id: "O-1", amount: 1 }));
    await Array.fromAsync(second.refunds.runBatch(items));
    expect(await (await follow(second, reset.id)).next()).toMatchObject({ event: "reset" });
    for (const wrong of ["1", "x-1", `${id}0`, "00000000-99"]) {
      expect(await (await follow(second, wrong)).next()).toMatchObject({ event: "reset" });
    }
  });

  it("include those by other processes", async () => {
    const runs = join(temporaryFolder(), "runs.sqlite");
    const service = await startHttpService({ feedback: { approval: true }, surroundings: { runs } });
    const { workflow_id: id = "" } = await service.workflow.run(feedback());
    const stream = await follow(service);
    const { id: known } = await stream.next();
    const visitor = new DurableEngine({ path: runs, worker: false });
    onTestFinished(() => visitor.close());
    await visitor.cancel(id);
    const event = await stream.until("reset");
    expect(event.id).not.toBe(known);
    const { id: last } = await service.engine.start("refund", {
      key: "R-1",
      fingerprint: "1",
      input: { refund_id: "R-1", order_id: "O-1", amount: 1 },
    });
    await stream.until("run", { workflow_id: last });
  });

  it("end quietly if the database fails, and when the service closes", async () => {
    const service = await startHttpService({ feedback: { approval: true } });
    const stream = await follow(service);
    const { id } = await stream.next();
    const get = vi.spyOn(service.engine, "get").mockRejectedValue(new IoError("The database is away."));
    await service.engine.start("refund", {
      key: "R-1",
      fingerprint: "1",
      input: { refund_id: "R-1", order_id: "O-1", amount: 1 },
    });
    expect(await stream.rest()).toEqual([]);
    get.mockRestore();
    const again = await follow(service, id);
    expect(await again.until("run")).toMatchObject({ data: { key: "R-1" } });
    await service.close();
    expect(await again.rest()).not.toContainEqual(expect.objectContaining({ event: "reset" }));
  });

  it("require the scope to see runs, and the number of streams is limited", async () => {
    const { call, url } = await startHttpService();
    for (const token of ["ann", "admin"] as const) {
      expect(await call("GET", "/runs/events", { token })).toMatchObject({ status: 403 });
    }
    expect(await call("GET", "/runs/events", { token: undefined })).toMatchObject({ status: 401 });
    const streams = await Promise.all(Array.from({ length: 200 }, () => follow({ url })));
    await Promise.all(streams.map((stream) => stream.next()));
    expect(await call("GET", "/runs/events")).toMatchObject({ status: 503, body: { error_code: "too_many_streams" } });
    for (const stream of streams) stream.close();
    await expect
      .poll(() =>
        follow({ url })
          .then((stream) => stream.next())
          .then(
            ({ event }) => event,
            () => "",
          ),
      )
      .toBe("reset");
  });
});
