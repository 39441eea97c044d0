import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { CustomerRecord } from "../../../src/integrations/customers/customer-source.ts";
import { IoError } from "../../../src/errors.ts";
import { FileCustomerSource } from "../../../src/integrations/customers/file-customer-source.ts";
import { ABIGraph } from "../../../src/ontology/abi-graph.ts";
import type { OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../../src/ontology/queries.ts";
import { SparqlEndpointStore } from "../../../src/ontology/sparql-endpoint/sparql-endpoint-store.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import { CustomerDataPipeline } from "../../../src/pipelines/customer-data-pipeline.ts";
import { Service } from "../../../src/framework/service.ts";
import type { CustomerFeedbackWorkflowConfiguration } from "../../../src/workflows/customer-feedback/configuration.ts";
import { CUSTOMERS, feedback, startFeedback, values, type Feedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { multipart, rawMail, type RawHeaders } from "../../support/raw-mail.ts";
import { shaclViolations } from "../../support/shacl.ts";
import { startSparqlEndpoint } from "../../support/sparql-endpoint.ts";
import { writeFileSync } from "node:fs";

const ADA = "ada@example.org";

async function customers(store: OntologyStore, ...records: CustomerRecord[]): Promise<void> {
  const source = {
    get: async () => undefined,
    list: async function* () {
      yield* records;
    },
  };
  await new CustomerDataPipeline({ customerSource: source, ontologyStore: store }).loadAll();
}

/** A workflow whose graph contains the usual customers. */
async function start(configuration: Partial<CustomerFeedbackWorkflowConfiguration> = {}): Promise<Feedback> {
  const started = await startFeedback(configuration);
  await customers(started.ontologyStore, ...CUSTOMERS);
  return started;
}

/** The result of the run that an email started. */
const finished = ({ workflow }: Feedback, { workflow_id }: { [field: string]: unknown }) =>
  workflow.getWorkflowResult(String(workflow_id));

/** The Message-ID of the email that answered the first feedback of a customer. */
async function answer(started: Feedback, customer_id = "C-1"): Promise<string> {
  const { response_id } = await started.workflow.run(feedback({ customer_id }));
  return response_id!;
}

const heldReasons = async ({ workflow }: Feedback): Promise<string[]> =>
  (await workflow.listHeldMails()).map(({ reason }) => reason);

const conforms = async ({ ontologyStore }: Feedback): Promise<void> => {
  const stores = ["feedback_data", "customer_data", "held_mail"].map((name) => ontologyStore.getGraph(name));
  expect(await shaclViolations((await Promise.all(stores)).flat())).toEqual([]);
};

describe("an email from a customer", () => {
  it("is processed as feedback, and answered in its thread, only at the address in the graph", async () => {
    const started = await start();
    const raw = rawMail({
      "Message-ID": "<q1@mail.example.org>",
      "Reply-To": "eve@evil.example",
      Cc: "eve@evil.example",
    });
    const receipt = await started.workflow.receiveMail(raw);
    expect(receipt).toEqual({
      status: "processing",
      feedback_id: expect.stringMatching(/^mail-[0-9a-f]{32}$/),
      customer_id: "C-1",
      workflow_id: expect.stringMatching(/^workflow-/),
    });
    expect(await finished(started, receipt)).toMatchObject({ success: true, action: "auto_respond" });
    expect(started.mails.mails).toMatchObject([
      {
        envelope: { to: [ADA] },
        parsed: { inReplyTo: "<q1@mail.example.org>", subject: "RE: Product feedback" },
      },
    ]);
    expect(started.mails.mails[0]!.raw).not.toContain("evil.example");
    await conforms(started);
  });

  it("is one piece of feedback, however often and concurrently it arrives", async () => {
    const started = await start();
    const raw = rawMail();
    const concurrent = await Promise.all(Array.from({ length: 5 }, () => started.workflow.receiveMail(raw)));
    expect(concurrent.map(({ status }) => status).toSorted()).toEqual([...Array(4).fill("duplicate"), "processing"]);
    await finished(started, concurrent[0]!);
    const late = await started.workflow.receiveMail(Buffer.concat([Buffer.from("Received: by relay\r\n"), raw]));
    expect(late).toMatchObject({ status: "duplicate", feedback_id: concurrent[0]!["feedback_id"] });
    expect(started.mails.mails).toHaveLength(1);
  });

  it("stays the same piece of feedback after the address now belongs to another customer", async () => {
    const started = await start();
    const raw = rawMail();
    await finished(started, await started.workflow.receiveMail(raw));
    await customers(started.ontologyStore, { id: "C-1" }, { id: "C-new", email: ADA });
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "duplicate" });
    expect(started.mails.mails).toHaveLength(1);
  });

  it.each([
    ["without a subject", { Subject: null }, "Your feedback"],
    ["with a blank subject", { Subject: "=?utf-8?q?=C2=A0?=" }, "Your feedback"],
    ["with a subject that is too long", { Subject: "x".repeat(900) }, "x".repeat(500)],
  ])("is processed %s", async (_, headers: RawHeaders, subject) => {
    const started = await start();
    await finished(started, await started.workflow.receiveMail(rawMail(headers)));
    expect(await values(started.ontologyStore, "Feedback", "abi:subject")).toEqual([subject]);
  });

  it("is processed without its quotations if it is too long with them", async () => {
    const started = await start();
    const quoted = "> as you wrote before, and before\n".repeat(1000);
    const receipt = await started.workflow.receiveMail(
      rawMail({}, `I love it!\n\nOn 5 May 2026 at 10:00, Care <care@shop.example> wrote:\n${quoted}`),
    );
    await finished(started, receipt);
    expect(await values(started.ontologyStore, "Feedback", "abi:text")).toEqual(["I love it!"]);
  });

  it("is assigned to them whatever the case of the address in the graph and in the email", async () => {
    const started = await start();
    await customers(started.ontologyStore, { id: "C-caps", email: "Zoe@Example.Org" });
    for (const from of ["zoe@example.org", "ZOE@EXAMPLE.ORG", "Zoe@Example.Org", "Zoe <zoe@EXAMPLE.org>"]) {
      expect(await started.workflow.receiveMail(rawMail({ From: from }))).toMatchObject({ customer_id: "C-caps" });
    }
    // The old address no longer belongs to anybody.
    await customers(started.ontologyStore, { id: "C-caps", email: "zoe.new@example.org" });
    expect(await started.workflow.receiveMail(rawMail({ From: "zoe@example.org" }))).toMatchObject({
      reason: "unknown_sender",
    });
    await conforms(started);
  });

  it("is also accepted with a graph on a SPARQL endpoint", async () => {
    const endpoint = await startSparqlEndpoint();
    const started = await start({ ontologyStore: new SparqlEndpointStore({ url: `${endpoint.origin}/sparql` }) });
    await finished(started, await started.workflow.receiveMail(rawMail()));
    const held = await started.workflow.receiveMail(rawMail({ From: "new@example.net" }));
    expect(held).toMatchObject({ status: "needs_person" });
    await started.workflow.dismissHeldMail(String(held["mail_id"]));
    expect(await started.workflow.listHeldMails()).toEqual([]);
  });
});

describe("an email that must not be answered", () => {
  it.each<[string, RawHeaders]>([
    ["automatic_mail", { "Auto-Submitted": "auto-replied" }],
    ["automatic_mail", { "Auto-Submitted": "auto-generated (vacation)" }],
    ["automatic_mail", { Precedence: "bulk" }],
    ["automatic_mail", { "List-Id": "Users <users.lists.example.org>" }],
    ["automatic_mail", { "List-Unsubscribe": "<mailto:leave@example.org>" }],
    ["automatic_mail", { "Return-Path": "<>" }],
    ["automatic_mail", { "Content-Type": "multipart/report; report-type=delivery-status; boundary=b" }],
    ["automatic_mail", { "Content-Type": "multipart/report; report-type=disposition-notification; boundary=b" }],
    ["automatic_mail", { "X-Failed-Recipients": "somebody@example.org" }],
    ["mail_system_address", { From: "Mail Delivery <MAILER-DAEMON@mx.example.org>" }],
    ["no_reply_address", { From: "no-reply@example.org" }],
    ["own_address", { From: "Customer Care <care@shop.example>" }],
    ["own_address", { From: "care+ada@shop.example" }],
    ["mail_loop", { Received: Array.from({ length: 101 }, (_, at) => `from a by b with SMTP id ${at}`) }],
  ])("starts no run: %s of %o", async (reason, headers) => {
    const started = await start({ mailRules: { unknownSender: "create" } });
    const answered = await answer(started);
    const raw = rawMail({ "In-Reply-To": answered, ...headers }, "It is broken! I want my money back!");
    expect(await started.workflow.receiveMail(raw)).toMatchObject({
      status: "ignored",
      reason,
      message: expect.any(String),
    });
    expect(await started.workflow.listWorkflows()).toHaveLength(1);
    expect(await heldReasons(started)).toEqual([]);
    expect(await values(started.ontologyStore, "Reply", "abi:text")).toEqual([]);
  });

  it("includes any email that we sent ourselves", async () => {
    const started = await start();
    await started.workflow.run(feedback());
    const [ours] = started.mails.mails;
    expect(await started.workflow.receiveMail(Buffer.from(ours!.raw, "latin1"))).toMatchObject({ status: "ignored" });
  });
});

describe("a reply to one of our emails", () => {
  it("is recorded with the feedback that it answers, once", async () => {
    const started = await start();
    const raw = rawMail(
      { "In-Reply-To": await answer(started), Subject: "RE: Product Feedback" },
      "Thank you, that was great!",
    );
    const receipts = [await started.workflow.receiveMail(raw), await started.workflow.receiveMail(raw)];
    expect(receipts).toMatchObject([
      { status: "recorded", reason: "reply", reply_to: "F-1", customer_id: "C-1" },
      { status: "duplicate", reply_to: "F-1" },
    ]);
    const rows = await select(
      started.ontologyStore,
      "feedback_data",
      `${PREFIXES} SELECT ?text { ?f abi:id "F-1" ; abi:hasReply ?r . ?r abi:text ?text ; abi:providedBy ?c . ?f abi:providedBy ?c }`,
    );
    expect(rows.map(({ text }) => text?.value)).toEqual(["Thank you, that was great!"]);
    expect(await started.workflow.listWorkflows()).toHaveLength(1);
    await conforms(started);
  });

  it("is recognized by any of its references, even if ours is an older one", async () => {
    const started = await start();
    const references = `<a@b.example> ${await answer(started)} <colleague@example.org>`;
    const raw = rawMail({ "In-Reply-To": "<colleague@example.org>", References: references }, "Thanks!");
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "recorded", reply_to: "F-1" });
  });

  it("is also processed as feedback if it is a complaint, and linked in the graph", async () => {
    const started = await start();
    const headers = { "In-Reply-To": await answer(started), Subject: "RE: Product Feedback" };
    const raw = rawMail(headers, "This is terrible, you have charged me twice!\n\n> I love it. Great!");
    const receipt = await started.workflow.receiveMail(raw);
    expect(receipt).toMatchObject({ status: "processing", reply_to: "F-1", customer_id: "C-1" });
    expect(await finished(started, receipt)).toMatchObject({ action: "escalate" });
    const links = await values(started.ontologyStore, "Reply", "abi:processedAs/abi:id");
    expect(links).toEqual([receipt["feedback_id"]]);
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "duplicate" });
    await conforms(started);
  });

  it("continues if it was recorded but not yet processed", async () => {
    const started = await start();
    const raw = rawMail({ "In-Reply-To": await answer(started) }, "This is terrible, you have charged me twice!");
    const away = vi.spyOn(started.workflow, "submit").mockRejectedValueOnce(new IoError("The database is away."));
    await expect(started.workflow.receiveMail(raw)).rejects.toThrow("away");
    expect(await values(started.ontologyStore, "Reply", "abi:text")).toHaveLength(1);
    expect(away).toHaveBeenCalledOnce();
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "processing", reply_to: "F-1" });
    expect(await values(started.ontologyStore, "Reply", "abi:text")).toHaveLength(1);
  });

  it("is held if it comes from another address, whether a customer's or not", async () => {
    const started = await start();
    const headers = { "In-Reply-To": await answer(started) };
    for (const From of ["grace@example.org", "stranger@example.net"]) {
      const receipt = await started.workflow.receiveMail(rawMail({ ...headers, From }, "Thanks!"));
      expect(receipt).toMatchObject({ status: "needs_person", reason: "other_sender" });
    }
    expect(await started.workflow.listHeldMails()).toMatchObject([{ reply_to: "F-1" }, { reply_to: "F-1" }]);
    expect(await values(started.ontologyStore, "Reply", "abi:text")).toEqual([]);
    await conforms(started);
  });

  it("belongs to the customer whose feedback it answers if several customers share the address", async () => {
    const started = await start();
    const messageId = await answer(started);
    await customers(started.ontologyStore, { id: "C-0", email: ADA });
    const receipt = await started.workflow.receiveMail(rawMail({ "In-Reply-To": messageId }, "Thanks!"));
    expect(receipt).toMatchObject({ status: "recorded", customer_id: "C-1" });
  });

  it("is no reply if the Message-ID only looks like ours", async () => {
    const started = await start();
    const raw = rawMail({ "In-Reply-To": "<0123456789012345678901234567890123456789@shop.example>" });
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "processing", customer_id: "C-1" });
  });
});

describe("an email that needs a person", () => {
  const HARD: [string, RawHeaders, string][] = [
    ["no_sender", { From: "ada@example.org, grace@example.org" }, "Hello"],
    ["no_sender", { From: "Ada" }, "Hello"],
    ["unknown_sender", { From: "new@example.net" }, "Hello"],
    ["no_text", {}, ""],
    ["no_text", { "Content-Type": "application/ms-tnef; name=winmail.dat" }, "tnef"],
    ["text_too_long", {}, "I have much to say. ".repeat(1200)],
    ["text_too_long", {}, `Hi\n\nOn 5/5/26 10:00, Support wrote:\n${"> Hello\n".repeat(30_000)}`],
    ["unreadable", { "Content-Type": "text/html" }, "<div>".repeat(5000)],
    [
      "unreadable",
      { "Content-Type": "multipart/mixed; boundary=b0" },
      Array.from({ length: 300 }, (_, at) => `--b${at}\nContent-Type: multipart/mixed; boundary=b${at + 1}\n\n`).join(
        "",
      ),
    ],
  ];

  it.each(HARD)("is held once, with everything a person needs: %s", async (reason, headers, body) => {
    const started = await start();
    const raw = rawMail(headers, body);
    const receipt = await started.workflow.receiveMail(raw);
    expect(receipt).toMatchObject({ status: "needs_person", reason, message: expect.any(String) });
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "duplicate", reason });
    expect(await started.workflow.listHeldMails()).toMatchObject([
      { mail_id: receipt["mail_id"], reason, subject: "Product feedback", sender: headers["From"] ?? ADA },
    ]);
    const { text } = await started.workflow.getHeldMail(String(receipt["mail_id"]));
    expect(text).toBe(reason === "unreadable" || reason === "no_text" ? "" : body.trim());
    expect(await started.workflow.listWorkflows()).toEqual([]);
    await conforms(started);
  });

  it("is one whose address belongs to several customers: the workflow doesn't guess", async () => {
    const started = await start();
    await customers(started.ontologyStore, { id: "C-2", email: "ADA@example.org" });
    const receipt = await started.workflow.receiveMail(rawMail());
    expect(receipt).toMatchObject({ status: "needs_person", reason: "several_customers" });
  });

  it("is one that reuses the Message-ID of another email", async () => {
    const started = await start();
    const id = { "Message-ID": "<same@mail.example.org>" };
    const first = await started.workflow.receiveMail(rawMail(id));
    const other = rawMail(id, "Quite another thing");
    expect(await started.workflow.receiveMail(other)).toMatchObject({
      status: "needs_person",
      reason: "same_message_id",
    });
    expect(await started.workflow.receiveMail(other)).toMatchObject({ status: "duplicate" });
    expect(await started.workflow.receiveMail(rawMail(id))).toMatchObject({ feedback_id: first["feedback_id"] });
    const [held] = await started.workflow.listHeldMails();
    const assigned = await started.workflow.assignHeldMail({ mail_id: held!.mail_id, customer_id: "C-1" });
    expect(assigned["feedback_id"]).not.toBe(first["feedback_id"]);
  });

  it.each<[string, string, string]>([
    ["a recorded reply", "Thanks!", "Thanks a lot!"],
    ["a held email", "", "Hello"],
  ])("is also one that reuses the Message-ID of %s", async (_, before, after) => {
    const started = await start();
    const headers = { "Message-ID": "<same@mail.example.org>", "In-Reply-To": await answer(started) };
    await started.workflow.receiveMail(rawMail(headers, before));
    expect(await started.workflow.receiveMail(rawMail(headers, after))).toMatchObject({
      status: "needs_person",
      reason: "same_message_id",
    });
  });

  it("is processed, and waits no longer, if it arrives again after its sender has become a customer", async () => {
    const started = await start();
    const raw = rawMail({ From: "new@example.net" });
    await started.workflow.receiveMail(raw);
    await customers(started.ontologyStore, { id: "C-new", email: "new@example.net" });
    const receipt = await started.workflow.receiveMail(raw);
    expect(receipt).toMatchObject({ status: "processing", customer_id: "C-new" });
    expect(await started.workflow.listHeldMails()).toEqual([]);
    await conforms(started);
  });

  it("is processed once, in its thread, as feedback of the customer whom a person names", async () => {
    const started = await start();
    const raw = rawMail({ From: "new@example.net", "Message-ID": "<q1@mail.example.org>" });
    const { mail_id } = (await started.workflow.receiveMail(raw)) as unknown as { mail_id: string };
    const assigned = await started.workflow.assignHeldMail({ mail_id, customer_id: "C-1" });
    expect(assigned).toMatchObject({ status: "processing", customer_id: "C-1", feedback_id: `mail-${mail_id}` });
    await finished(started, assigned);
    expect(started.mails.mails).toMatchObject([
      { envelope: { to: [ADA] }, parsed: { inReplyTo: "<q1@mail.example.org>" } },
    ]);
    await expect(started.workflow.assignHeldMail({ mail_id, customer_id: "C-vip" })).rejects.toMatchObject({
      type: "conflict",
    });
    await expect(started.workflow.dismissHeldMail(mail_id)).rejects.toMatchObject({ code: "already_decided" });
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "duplicate" });
    expect(await started.workflow.listHeldMails()).toEqual([]);
    await conforms(started);
  });

  it("is processed with a person's summary if it can't be processed unchanged", async () => {
    const started = await start();
    const receipt = await started.workflow.receiveMail(rawMail({}, "I have much to say. ".repeat(1200)));
    const mail_id = String(receipt["mail_id"]);
    await expect(started.workflow.assignHeldMail({ mail_id, customer_id: "C-1" })).rejects.toMatchObject({
      code: "invalid_parameters",
    });
    const words = { subject: "Many things", feedback_text: "Has much to say." };
    await finished(started, await started.workflow.assignHeldMail({ mail_id, customer_id: "C-1", ...words }));
    expect(await values(started.ontologyStore, "Feedback", "abi:text")).toEqual(["Has much to say."]);
  });

  it("is left alone once it has been dismissed, but stays in the graph", async () => {
    const started = await start();
    const raw = rawMail({ From: "new@example.net" });
    const mail_id = String((await started.workflow.receiveMail(raw))["mail_id"]);
    expect(await started.workflow.dismissHeldMail(mail_id)).toMatchObject({ status: "dismissed" });
    expect(await started.workflow.receiveMail(raw)).toMatchObject({ status: "duplicate", reason: "dismissed" });
    await expect(started.workflow.assignHeldMail({ mail_id, customer_id: "C-1" })).rejects.toMatchObject({
      code: "already_decided",
    });
    expect(await started.workflow.getHeldMail(mail_id)).toMatchObject({ status: "dismissed" });
  });

  it.each(["unknown", "", "../x", '"> <x'])("must be named by a known id: %j is refused", async (mail_id) => {
    const { workflow } = await start();
    await expect(workflow.getHeldMail(mail_id)).rejects.toMatchObject({ code: "unknown_mail" });
  });
});

describe("an email from an unknown address", () => {
  const raw = () => rawMail({ From: '"Evil <b>Words</b>" <New.One@example.net>' });

  it("makes its sender a customer if that is configured, but takes over only the address", async () => {
    const started = await start({ mailRules: { unknownSender: "create" } });
    const receipts = await Promise.all([started.workflow.receiveMail(raw()), started.workflow.receiveMail(raw())]);
    expect(new Set(receipts.map(({ customer_id }) => customer_id)).size).toBe(1);
    for (const receipt of receipts) await finished(started, receipt);
    expect(started.mails.mails.map(({ envelope }) => envelope.to)).toEqual([
      ["New.One@example.net"],
      ["New.One@example.net"],
    ]);
    expect(started.mails.mails[0]!.raw).not.toContain("Evil");
    await conforms(started);
  });

  it("is ignored if that is configured", async () => {
    const started = await start({ mailRules: { unknownSender: "ignore" } });
    expect(await started.workflow.receiveMail(raw())).toMatchObject({ status: "ignored", reason: "unknown_sender" });
    expect(await heldReasons(started)).toEqual([]);
  });

  it("is assigned to the customer that the customer source finds, if that is configured", async () => {
    const path = join(temporaryFolder(), "customers.csv");
    writeFileSync(path, "id,name,email\nC-77,Newton,new.one@EXAMPLE.net\nC-78,Other,other@example.net\n");
    const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
    const customerDataPipeline = new CustomerDataPipeline({
      customerSource: new FileCustomerSource(path),
      ontologyStore,
    });
    const started = await startFeedback({
      ontologyStore,
      customerDataPipeline,
      mailRules: { unknownSender: "ask-source" },
    });
    expect(await started.workflow.receiveMail(raw())).toMatchObject({ status: "processing", customer_id: "C-77" });
    const stranger = await started.workflow.receiveMail(rawMail({ From: "stranger@example.net" }));
    expect(stranger).toMatchObject({ status: "needs_person", reason: "unknown_sender" });
    writeFileSync(path, "id,name,email\nC-1,Ada,twin@example.net\nC-2,Eve,Twin@example.net\n\n");
    const twin = await started.workflow.receiveMail(rawMail({ From: "twin@example.net" }));
    expect(twin).toMatchObject({ status: "needs_person", reason: "several_customers" });
  });

  it("fails without a trace if the customer source doesn't answer, so that it can be delivered again", async () => {
    const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
    const customerSource = {
      get: async () => undefined,
      list: async function* () {},
      withEmail: () => Promise.reject(new IoError("The customer source is away.")),
    };
    const customerDataPipeline = new CustomerDataPipeline({ customerSource, ontologyStore });
    const started = await startFeedback({
      ontologyStore,
      customerDataPipeline,
      mailRules: { unknownSender: "ask-source" },
    });
    await expect(started.workflow.receiveMail(raw())).rejects.toThrow("away");
    expect(await heldReasons(started)).toEqual([]);
  });
});

describe("an email whose sender may be forged", () => {
  const mailRules = { unknownSender: "create", authservId: "mx.shop.example" } as const;

  it("is processed if the mail server vouches for the sender", async () => {
    const started = await start({ mailRules });
    const results = "mx.shop.example; dmarc=pass header.from=example.org";
    const receipt = await started.workflow.receiveMail(rawMail({ "Authentication-Results": results }));
    expect(receipt).toMatchObject({ status: "processing", customer_id: "C-1" });
  });

  it.each<[string, RawHeaders]>([
    ["says nothing", {}],
    ["says no", { "Authentication-Results": "mx.shop.example; dmarc=fail header.from=example.org" }],
    ["is another", { "Authentication-Results": "mx.evil.example; dmarc=pass header.from=example.org" }],
  ])("is held if the mail server %s, even if it is a reply", async (_, headers) => {
    const started = await start({ mailRules });
    const reply = { "In-Reply-To": await answer(started) };
    for (const more of [{}, reply]) {
      const receipt = await started.workflow.receiveMail(rawMail({ ...headers, ...more }));
      expect(receipt).toMatchObject({ status: "needs_person", reason: "sender_not_authenticated" });
    }
  });
});

describe("the operations for incoming emails", () => {
  it("are for operators (to deliver) and people (to decide), never for a model", async () => {
    const started = await start();
    const service = new Service({ engine: started.engine, workflows: [started.workflow] });
    const mail = rawMail({ From: "new@example.net" }).toString("base64");
    const receipt = await service.operation("ingest_mail").run({ mail }, {});
    expect(receipt).toMatchObject({ status: "needs_person" });
    const named = (name: string) => {
      const found = started.workflow.operations.find((operation) => operation.name === name);
      if (found?.kind !== "direct") throw new Error(`no operation ${name}`);
      return found;
    };
    expect(await named("list_held_mails").run({ limit: 10 }, {})).toMatchObject({ total: 1, mails: [{}] });
    const names = new Set(["ingest_mail", "list_held_mails", "get_held_mail", "assign_held_mail", "dismiss_held_mail"]);
    const operations = service.operations.map(({ operation }) => operation).filter(({ name }) => names.has(name));
    expect(operations.map(({ name, audience, scope }) => `${name} ${audience} ${scope}`).toSorted()).toEqual([
      "assign_held_mail person approve",
      "dismiss_held_mail person approve",
      "get_held_mail person approve",
      "ingest_mail operator feedback:write",
      "list_held_mails person approve",
    ]);
    expect(started.workflow.as_tools()).toHaveLength(3);
  });

  it("refuse input that is not an email", async () => {
    const started = await start();
    const service = new Service({ engine: started.engine, workflows: [started.workflow] });
    await expect(service.receiveMail(Buffer.from("no email"))).rejects.toMatchObject({ code: "not_a_mail" });
    expect(() => service.operation("ingest_mail").input.parse({ mail: "no base64!" })).toThrow("base64");
  });

  it("count the attachments of held emails, but store none", async () => {
    const started = await start();
    const body = multipart("b", "Content-Type: application/pdf\r\n\r\nSECRET");
    await started.workflow.receiveMail(rawMail({ "Content-Type": "multipart/mixed; boundary=b" }, body));
    expect(await started.workflow.listHeldMails()).toMatchObject([{ reason: "no_text", attachments: 1 }]);
    const graph = await started.ontologyStore.getGraph("held_mail");
    expect(JSON.stringify([...new ABIGraph(), ...graph])).not.toContain("SECRET");
  });
});

it("the list of held emails comes in pages, oldest first, without reading their texts", async () => {
  const started = await start({ clock: () => new Date(now) });
  let now = Date.parse("2026-11-22T09:00:00Z");
  for (const name of ["third", "first", "second"]) {
    now = Date.parse("2026-11-22T09:00:00Z") + ["first", "second", "third"].indexOf(name) * 60_000;
    await started.workflow.receiveMail(
      rawMail({ From: "stranger@example.net", Subject: name }, `Long words, ${name}.`),
    );
  }
  const found = vi.spyOn(started.ontologyStore, "match");
  const page = await started.workflow.getHeldMails(2);
  expect(page.total).toBe(3);
  expect(page.mails.map(({ subject }) => subject)).toEqual(["first", "second"]);
  const quads = (await Promise.all(found.mock.results.map(({ value }) => value as Promise<object[]>))).flat();
  expect(JSON.stringify(quads)).toContain("second");
  expect(JSON.stringify(quads)).not.toContain("Long words");
  expect((await started.workflow.listHeldMails()).map(({ subject }) => subject)).toEqual(["first", "second", "third"]);
});
