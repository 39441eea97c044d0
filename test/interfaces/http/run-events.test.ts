import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { IoError } from "../../../src/errors.ts";
import { feedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { SECRETS, startHttpService, type HttpService } from "../../support/http-service.ts";
import { eventsOf, type ServerSentEvent } from "../../support/server-sent-events.ts";

type RunEvent = ServerSentEvent<{ id: number; type: string; step?: string }>;

interface Stream {
  status: number;
  events: AsyncGenerator<RunEvent, void>;
  close(): void;
}

const HEADERS = { authorization: `Bearer ${SECRETS.reader}`, accept: "text/event-stream" };

/** The events of a run as a browser would read them. */
async function follow({ url }: HttpService, id: string, lastEventId?: string): Promise<Stream> {
  const controller = new AbortController();
  const response = await fetch(`${url}/runs/${id}/events`, {
    headers: { ...HEADERS, ...(lastEventId !== undefined && { "last-event-id": lastEventId }) },
    signal: controller.signal,
  });
  return { status: response.status, events: eventsOf(response), close: () => controller.abort() };
}

const rest = (stream: Stream): Promise<RunEvent[]> => Array.fromAsync(stream.events);

async function until(stream: Stream, type: string): Promise<RunEvent[]> {
  const seen: RunEvent[] = [];
  for (;;) {
    const { value, done } = await stream.events.next();
    if (done) throw new Error(`the stream ended after ${seen.map(({ event }) => event).join()}`);
    seen.push(value);
    if (value.event === type) return seen;
  }
}

describe("the events of a run", () => {
  it("are sent as they happen, and end with the run", async () => {
    const service = await startHttpService({ feedback: { approval: true } });
    const { workflow, engine } = service;
    const { workflow_id: id = "" } = await workflow.run(feedback());
    const stream = await follow(service, id);
    const seen = await until(stream, "waiting_for_approval");
    const { rendering } = (await workflow.getPendingResponse(id))!;
    await workflow.approveResponse(id, { rendering, by: "Ann" });
    seen.push(...(await rest(stream)));
    const stored = await engine.events(id);
    expect(seen.map(({ data }) => data.id)).toEqual(stored.map(({ n }) => n));
    expect(seen.map(({ event }) => event)).toEqual(stored.map(({ type }) => type));
    expect(seen.at(-1)).toMatchObject({ event: "completed" });
    expect(seen.every(({ id, event, data }) => id === String(data.id) && event === data.type)).toBe(true);
  });

  it("continue where the client stopped, even after a restart", async () => {
    const folder = temporaryFolder();
    const surroundings = { runs: join(folder, "runs.sqlite") };
    const first = await startHttpService({ feedback: { approval: true }, surroundings });
    const { workflow_id: id = "" } = await first.workflow.run(feedback());
    const before = await follow(first, id);
    const known = [(await before.events.next()).value!, (await before.events.next()).value!];
    const pending = (await first.workflow.getPendingResponse(id))!;
    await first.workflow.rejectResponse(id, { rendering: pending.rendering, by: "Ann" });
    await first.workflow.getWorkflowResult(id);
    await first.close();
    await first.engine.close();

    const second = await startHttpService({
      feedback: { ontologyStore: first.ontologyStore, approval: true },
      surroundings,
    });
    const after = await rest(await follow(second, id, known[1]!.id));
    const stored = (await second.engine.events(id)).map(({ n }) => n);
    expect([...known, ...after].map(({ data }) => data.id)).toEqual(stored);
    expect((await follow(second, id, String(stored.at(-1)))).status).toBe(204);
  });

  it("are a list for clients that accept JSON", async () => {
    const { call, workflow, engine } = await startHttpService();
    await workflow.run(feedback());
    const [{ id } = { id: "" }] = await engine.list();
    const headers = { accept: "application/json" };
    const { body } = await call("GET", `/runs/${id}/events`, { headers });
    const stored = await engine.events(id);
    expect((body["events"] as { id: number }[]).map(({ id }) => id)).toEqual(stored.map(({ n }) => n));
    const later = await call("GET", `/runs/${id}/events?after=${stored.at(-2)!.n}`, { headers });
    expect(later.body["events"]).toMatchObject([{ type: "completed" }]);
  });

  it("end when the service closes, and don't delay closing when the client has disconnected", async () => {
    const service = await startHttpService({ feedback: { approval: true } });
    const { workflow_id: id = "" } = await service.workflow.run(feedback());
    const [gone, stream] = [await follow(service, id), await follow(service, id)];
    await until(gone, "waiting_for_approval");
    gone.close();
    await until(stream, "waiting_for_approval");
    await service.close();
    expect(await rest(stream)).toEqual([]);
  });

  it("end quietly if the database fails, so that the client reconnects", async () => {
    const service = await startHttpService({ feedback: { approval: true } });
    const { workflow_id: id = "" } = await service.workflow.run(feedback());
    const stream = await follow(service, id);
    const known = await until(stream, "waiting_for_approval");
    vi.spyOn(service.engine, "events").mockRejectedValueOnce(new IoError("The database is away."));
    expect(await rest(stream)).toEqual([]);
    const again = await follow(service, id, known.at(-2)!.id);
    expect(await until(again, "waiting_for_approval")).toHaveLength(1);
    again.close();
  });

  it("are a problem document for an unknown run", async () => {
    const { call } = await startHttpService();
    const answer = await call("GET", "/runs/workflow-none/events", { headers: { accept: "text/event-stream" } });
    expect(answer).toMatchObject({ status: 404, body: { error_code: "unknown_run" } });
  });
});
