import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { openApplication } from "../../../src/application/application.ts";
import { DurableEngine } from "../../../src/engine/durable-engine.ts";
import { SqliteRunStore } from "../../../src/engine/sqlite/sqlite-run-store.ts";
import { ValidationError } from "../../../src/errors.ts";
import { createMailTransport } from "../../../src/integrations/email/create-mail-transport.ts";
import { EmailIntegration } from "../../../src/integrations/email/email-integration.ts";
import { MailChannel } from "../../../src/integrations/notifications/mail-channel.ts";
import type { NotificationChannel } from "../../../src/integrations/notifications/notification-channel.ts";
import { WebhookChannel } from "../../../src/integrations/notifications/webhook-channel.ts";
import { silentLogger } from "../../../src/log.ts";
import { readSettings } from "../../../src/application/settings.ts";
import { durable } from "../../../src/framework/operation.ts";
import { Workflow } from "../../../src/framework/workflow.ts";
import {
  NotificationWorkflow,
  type NotificationWorkflowConfiguration,
} from "../../../src/workflows/notifications/notification-workflow.ts";
import { feedback, startFeedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { serve, type ScriptedServer } from "../../support/http.ts";
import { startSmtpServer } from "../../support/smtp.ts";
import { hasKind, troubledStore } from "../../support/troubled-store.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const RETRY = { attempts: 3, initialDelayMs: 1, maximumDelayMs: 2 };

/** Orders that are good, bad, or wait for a person. */
class Orders extends Workflow {
  override readonly name = "orders";
  override readonly operations = [
    durable("order", {
      description: "Order.",
      input: z.strictObject({ id: z.string(), kind: z.enum(["good", "bad", "asking", "asking twice"]) }),
      output: z.object({}),
      key: "id",
      run: async ({ kind }, { step, decision }) => {
        if (kind === "bad") {
          await step("refused", () => {
            throw new ValidationError("There is no such thing.", { code: "nothing_there" });
          });
        }
        if (kind !== "good") await decision("draft");
        if (kind === "asking twice") await decision("draft-2");
        return {};
      },
    }),
  ];
}

function open(
  { channels, ...options }: Partial<NotificationWorkflowConfiguration> & { channels: readonly NotificationChannel[] },
  engine = new DurableEngine({ path: ":memory:", retry: RETRY }),
) {
  onTestFinished(() => engine.close());
  const orders = new Orders({ engine }).register();
  const notifications = new NotificationWorkflow({ engine, channels, ...options }).register();
  engine.startWorker();
  const results = async () => {
    const all = await notifications.listWorkflows();
    return Promise.all(all.map(({ workflow_id }) => notifications.getWorkflowResult(workflow_id)));
  };
  return { engine, orders, notifications, results };
}

const bodiesOf = ({ requests }: ScriptedServer) =>
  requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

/** Opens a workflow in which somebody decides on each first draft just before its run would wait. */
function openDecidingAtOnce(receiver: ScriptedServer) {
  const inMemory = new SqliteRunStore(":memory:", { worker: true });
  const store = troubledStore(inMemory, {
    write: async (batch) => {
      if (hasKind(batch, "park")) await engine.decide((await orders.listWorkflows())[0]!.workflow_id, "draft", "yes");
      return inMemory.write(batch);
    },
  });
  // With so many attempts, callers wait for the final result and don't get "still retrying" first.
  const retry = { ...RETRY, attempts: 1_000_000 };
  const opened = open({ channels: [new WebhookChannel(receiver.origin)] }, new DurableEngine({ store, retry }));
  const { engine, orders } = opened;
  return opened;
}

async function startMail(recipient = "ops@shop.example") {
  const mails = await startSmtpServer();
  const email = new EmailIntegration({ transport: createMailTransport(mails.url()), from: "care@shop.example" });
  onTestFinished(async () => {
    await email.close();
    await mails[Symbol.asyncDispose]();
  });
  return { mails, channel: new MailChannel(email, recipient) };
}

describe("a notification", () => {
  it("says by a signed webhook that an email waits, and reveals nothing about the customer", async () => {
    const receiver = await serve({ status: 204 });
    const { engine, workflow } = await startFeedback({ approval: true });
    const channels = [new WebhookChannel(`${receiver.origin}/hook`, SECRET)];
    new NotificationWorkflow({ engine, channels, publicUrl: "https://abi.example/" }).register();
    const { workflow_id } = await workflow.run(feedback());
    await receiver.received(1);
    const [{ body, headers, path }] = receiver.requests as [(typeof receiver.requests)[0]];
    expect(path).toBe("/hook");
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toEqual({
      type: "approval.waiting",
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        workflow: "customer-feedback",
        workflow_id,
        key: "F-1",
        url: `https://abi.example/approvals/${workflow_id}`,
      },
    });
    expect(body).not.toMatch(/\bada\b|great|\bC-1\b/i);
  });

  it("says what failed and why, and what completed if that is configured", async () => {
    const receiver = await serve({});
    const { orders, results } = open({
      channels: [new WebhookChannel(receiver.origin)],
      types: ["run.failed", "run.completed"],
    });
    await orders.run({ id: "O-1", kind: "good" });
    await orders.run({ id: "O-2", kind: "bad" });
    await receiver.received(2);
    await results();
    const told = bodiesOf(receiver).map(({ type, data }) => `${String(type)} ${(data as { key: string }).key}`);
    expect(told.toSorted()).toEqual(["run.completed O-1", "run.failed O-2"]);
    const failed = bodiesOf(receiver).find(({ type }) => type === "run.failed");
    expect(failed?.["data"]).toMatchObject({ error: "There is no such thing.", error_code: "nothing_there" });
  });

  it("is sent only about runs that need a person, unless configured otherwise", async () => {
    const receiver = await serve({});
    const { orders, results } = open({ channels: [new WebhookChannel(receiver.origin)] });
    await orders.run({ id: "O-1", kind: "good" });
    await orders.run({ id: "O-2", kind: "asking" });
    expect(await results()).toHaveLength(1);
    expect(bodiesOf(receiver)).toMatchObject([{ type: "approval.waiting" }]);
  });

  it("is not sent if the decision has already been made", async () => {
    const receiver = await serve({});
    const { orders, results } = openDecidingAtOnce(receiver);
    expect(await orders.run({ id: "O-1", kind: "asking" })).not.toHaveProperty("status");
    expect(await results()).toMatchObject([{ success: true, outdated: true }]);
    expect(receiver.requests).toEqual([]);
  });

  it("is not sent about a decision already made if the run now waits for something else", async () => {
    const receiver = await serve({});
    const { orders, results } = openDecidingAtOnce(receiver);
    expect(await orders.run({ id: "O-1", kind: "asking twice" })).toMatchObject({ status: "waiting_for_approval" });
    const [second, first] = await results();
    expect(first).toMatchObject({ success: true, outdated: true });
    expect(second).toMatchObject({ success: true });
    expect(receiver.requests).toHaveLength(1);
  });

  it("is retried with the same id until it is accepted", async () => {
    const away = { status: 503 };
    const receiver = await serve(away, away, away, away, { status: 200 });
    const { orders, results } = open({ channels: [new WebhookChannel(receiver.origin, SECRET)] });
    await orders.run({ id: "O-1", kind: "asking" });
    await receiver.received(5);
    expect(await results()).toMatchObject([{ success: true }]);
    expect(new Set(receiver.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(receiver.requests).toHaveLength(5);
  });

  it("reaches one channel even if another refuses it", async () => {
    const receiver = await serve({ status: 400 });
    const { mails, channel } = await startMail();
    const { orders, results } = open({
      channels: [new WebhookChannel(receiver.origin), channel],
      publicUrl: "https://abi.example",
    });
    const { workflow_id } = await orders.run({ id: "O-1", kind: "asking" });
    expect(await results()).toMatchObject([{ success: false, error_code: "notification_rejected" }]);
    expect(mails.mails).toHaveLength(1);
    const [mail] = mails.mails as [(typeof mails.mails)[0]];
    expect(mail.envelope).toEqual({ from: "care@shop.example", to: ["ops@shop.example"] });
    expect(mail.parsed.subject).toBe("Please decide: an email waits for you (O-1)");
    expect(mail.parsed.text).toContain(`https://abi.example/approvals/${workflow_id}`);
    expect(mail.parsed.headers.get("auto-submitted")).toBe("auto-generated");
  });

  it("is an email of its own, up to twenty an hour; the twentieth says that no more will come", async () => {
    const { mails, channel } = await startMail();
    const { orders, results } = open({ channels: [channel] });
    for (let n = 1; n <= 22; n++) {
      await orders.run({ id: `O-${n}`, kind: "bad" });
      await results();
    }
    expect(mails.mails).toHaveLength(20);
    const last = mails.mails.filter(({ parsed }) => parsed.text?.includes("20th email of this kind in this hour"));
    expect(last.map(({ parsed }) => parsed.subject)).toEqual(["A run has failed (O-20)"]);
    expect((await results()).slice(0, 2)).toMatchObject([
      { withheld: ["mail_delivered"] },
      { withheld: ["mail_delivered"] },
    ]);
  });

  it("is sent exactly once even if the process ends just before its run waits or ends", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const receiver = await serve({});
    const channels = [new WebhookChannel(receiver.origin)];
    const reached = Promise.withResolvers<void>();
    const file = new SqliteRunStore(path, { worker: true });
    const store = troubledStore(file, {
      write: async (batch) => {
        if (!hasKind(batch, "park")) return file.write(batch);
        reached.resolve();
        throw new Error("the disk is gone");
      },
    });
    const first = open({ channels }, new DurableEngine({ store, retry: RETRY }));
    await first.orders.startWorkflow({ id: "O-1", kind: "asking" });
    await reached.promise;
    await first.engine.close();
    const second = open({ channels }, new DurableEngine({ path, retry: RETRY }));
    await receiver.received(1);
    expect(await second.results()).toMatchObject([{ success: true }]);
    expect(bodiesOf(receiver)).toMatchObject([{ type: "approval.waiting", data: { key: "O-1" } }]);
    const [order] = await second.orders.listWorkflows();
    expect(order).toMatchObject({ status: "waiting_for_approval" });
  });

  it("is sent by an application whose settings name a receiver", async () => {
    const receiver = await serve({});
    const settings = { dataDirectory: ":memory:", approval: true, notifyUrl: receiver.origin, notifySecret: SECRET };
    const application = await openApplication(readSettings(settings, {}), silentLogger);
    onTestFinished(() => application.close());
    expect([...application.service.workflows.keys()]).toEqual(["customer-feedback", "notification"]);
    await application.workflow.run(feedback({ customer_id: "C-404" }));
    await receiver.received(1);
    expect(bodiesOf(receiver)).toMatchObject([{ type: "run.failed", data: { error_code: "customer_not_found" } }]);
  });

  it.each([
    [{ notifySecret: SECRET }, /NOTIFY_SECRET \(notifySecret\) has no effect without NOTIFY_URL/],
    [{ notifyUrl: "http://localhost", notifySecret: "whsec_c2hvcnQ=" }, /24 to 64 random bytes/],
    [{ notifyUrl: "http://localhost", notifySecret: "not base64!" }, /24 to 64 random bytes/],
    [{ notifyMail: "Ann and Bob" }, /NOTIFY_MAIL \(notifyMail\) must be one plain address/],
  ])("is not configurable with %j", async (options, message) => {
    const settings = readSettings({ dataDirectory: ":memory:", ...options }, {});
    await expect(openApplication(settings, silentLogger)).rejects.toThrow(message);
  });

  it("is not configurable for unknown types", () => {
    expect(() => readSettings({}, { NOTIFY_ON: "run.failed,run.ended" })).toThrow(
      "must be some of approval.waiting, run.failed, run.completed",
    );
  });
});
