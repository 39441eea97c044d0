// How old a customer's data may be when an email leaves, and what happens if the source has other data or doesn't answer.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { openApplication, readSettings, type CustomerRecord, type CustomerSource } from "../../../src/index.ts";
import { IoError, UnexpectedError, ValidationError } from "../../../src/errors.ts";
import { createCustomerSource } from "../../../src/integrations/customers/create-customer-source.ts";
import { silentLogger } from "../../../src/log.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import type { OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import { CustomerDataPipeline } from "../../../src/pipelines/customer-data-pipeline.ts";
import type { CustomerFeedbackWorkflowConfiguration } from "../../../src/workflows/customer-feedback/configuration.ts";
import { by, pendingOf } from "../../support/approval.ts";
import { feedback, startFeedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { serve } from "../../support/http.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ADA: CustomerRecord = { id: "C-1", name: "Ada", email: "ada@example.org" };

/** A source whose customer, or failure, the test chooses. */
class ChangingSource implements CustomerSource {
  readonly name: string = "crm";
  asked = 0;
  says: CustomerRecord | undefined | Error = ADA;
  async get(id: string): Promise<CustomerRecord | undefined> {
    this.asked += 1;
    if (this.says instanceof Error) throw this.says;
    return this.says?.id === id ? this.says : undefined;
  }
  async *list(): AsyncGenerator<CustomerRecord> {
    if (this.says !== undefined && !(this.says instanceof Error)) yield this.says;
  }
}

async function start(
  configuration: Partial<CustomerFeedbackWorkflowConfiguration> = {},
  freshness = { maxAgeMs: HOUR, staleIfErrorMs: 24 * HOUR },
) {
  const source = new ChangingSource();
  const time = { now: new Date("2026-01-02T03:04:05Z") };
  const clock = () => time.now;
  const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
  const pipeline = new CustomerDataPipeline({ customerSource: source, ontologyStore, clock });
  const parts = await startFeedback({
    ontologyStore,
    customerDataPipeline: pipeline,
    customerFreshness: freshness,
    clock,
    responseCap: false,
    ...configuration,
  });
  const { workflow, mails } = parts;
  let count = 0;
  return {
    ...parts,
    source,
    pipeline,
    pass: (ms: number) => void (time.now = new Date(time.now.getTime() + ms)),
    submit: (fields: object = {}) => workflow.run(feedback({ feedback_id: `F-${(count += 1)}`, ...fields })),
    recipients: () => mails.mails.map(({ parsed }) => [parsed.to].flat().map((to) => to?.text)[0]),
  };
}

const moved = { ...ADA, email: "ada@new.example" };
const objecting = { ...ADA, do_not_contact: true };
const away = new IoError("The customer source is away.");

describe("outdated customer data", () => {
  it("is looked up again before an email leaves: one request, and the new address counts", async () => {
    const { submit, source, pass, recipients } = await start();
    await submit();
    source.says = moved;
    pass(HOUR - 1);
    await submit();
    expect(source.asked).toBe(1);
    pass(1);
    await submit();
    expect(source.asked).toBe(2);
    await submit();
    expect(source.asked).toBe(2);
    expect(recipients()).toEqual(["ada@example.org", "ada@example.org", "ada@new.example", "ada@new.example"]);
  });

  it("is looked up again before an escalation is decided and acknowledged", async () => {
    const { submit, source, pass, recipients } = await start();
    expect(await submit()).toMatchObject({ action: "auto_respond" });
    source.says = { ...moved, segment: "premium" };
    pass(2 * HOUR);
    expect(await submit()).toMatchObject({ action: "escalate", success: true });
    expect(recipients()).toEqual(["ada@example.org", "ada@new.example"]);
    expect(source.asked).toBe(2);
  });

  it("leads to no email if the customer has since objected or is gone from the source, and the result says why", async () => {
    for (const [says, reason] of [
      [objecting, /does not want to be contacted/],
      [undefined, /no longer knows the customer/],
    ] as const) {
      const { submit, source, pass, mails } = await start();
      await submit();
      source.says = says;
      pass(2 * HOUR);
      expect(await submit()).toMatchObject({ success: true, response_withheld: expect.stringMatching(reason) });
      expect(await submit({ feedback_text: "There is a bug." })).toMatchObject({
        action: "escalate",
        response_withheld: expect.stringMatching(reason),
      });
      expect(mails.mails).toHaveLength(1);
    }
  });

  it("is looked up again even if it came from an import", async () => {
    const { submit, source, pass, pipeline, recipients } = await start();
    await pipeline.loadAll();
    await submit();
    expect(source.asked).toBe(0);
    source.says = moved;
    pass(2 * HOUR);
    await submit();
    expect(source.asked).toBe(1);
    expect(recipients()).toEqual(["ada@example.org", "ada@new.example"]);
  });

  it("keeps an objection that was recorded in the graph if the source doesn't mention it", async () => {
    const { submit, ontologyStore, source, pass, mails } = await start();
    await submit();
    await setCustomer(ontologyStore, "abi:doNotContact", true);
    source.says = moved;
    pass(2 * HOUR);
    expect(await submit()).toMatchObject({ response_withheld: expect.stringMatching(/contacted/) });
    expect(mails.mails).toHaveLength(1);
  });

  it("is looked up once for all simultaneous callers", async () => {
    const { workflow, source, pass, submit, mails } = await start();
    await submit();
    pass(2 * HOUR);
    const items = Array.from({ length: 20 }, (_, n) => feedback({ feedback_id: `B-${n}` }));
    const results = await Array.fromAsync(workflow.runBatch(items));
    expect(results.every(({ success }) => success)).toBe(true);
    expect(mails.mails).toHaveLength(21);
    expect(source.asked).toBe(2);
  });

  it("is looked up for every email if the maximum age is 0", async () => {
    const { submit, source, recipients } = await start({}, { maxAgeMs: 0, staleIfErrorMs: HOUR });
    await submit();
    const before = source.asked;
    source.says = moved;
    await submit();
    expect(source.asked).toBeGreaterThan(before);
    expect(recipients()).toEqual(["ada@example.org", "ada@new.example"]);
  });

  it("is looked up if its timestamp is in the future because a clock was wrong", async () => {
    const { submit, source, pass, recipients } = await start();
    await submit();
    source.says = moved;
    pass(-5 * HOUR);
    await submit();
    expect(recipients()).toEqual(["ada@example.org", "ada@new.example"]);
  });
});

describe("a customer whom the source does not know", () => {
  it("gets email if somebody put them into the graph by hand or from another source", async () => {
    const { submit, ontologyStore, source, pass, recipients } = await start();
    await ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT DATA { <urn:eve> a abi:Customer ; abi:id "C-7" ; abi:email "eve@example.org" }`,
    );
    const elsewhere = Object.assign(new ChangingSource(), {
      name: "vip.csv",
      says: { id: "C-8", email: "bo@example.org" },
    });
    await new CustomerDataPipeline({ customerSource: elsewhere, ontologyStore }).loadAll();
    pass(48 * HOUR);
    for (const customer_id of ["C-7", "C-8"]) {
      expect(await submit({ customer_id })).toMatchObject({ success: true, response_id: expect.any(String) });
    }
    expect(source.asked).toBeGreaterThan(0);
    expect(recipients()).toEqual(["eve@example.org", "bo@example.org"]);
  });

  it("gets no email if the source used to know them, until it knows them again", async () => {
    const { submit, source, pass, recipients } = await start();
    await submit();
    source.says = undefined;
    pass(2 * HOUR);
    await submit();
    await submit();
    source.says = moved;
    await submit();
    expect(recipients()).toEqual(["ada@example.org", "ada@new.example"]);
  });
});

describe("a source that fails", () => {
  const failures: [string, Error][] = [
    ["is away", away],
    ["refuses us", new UnexpectedError(new Error("HTTP 401"))],
    [
      "answers with a page",
      new ValidationError("The customer source did not answer with JSON.", { code: "customer_source_invalid" }),
    ],
  ];

  it.each(failures)(
    "because it %s leaves the graph's data valid up to the second limit, and is named in the log",
    async (_, error) => {
      const lines: string[] = [];
      const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
      const { submit, source, pass, recipients } = await start({ logger });
      await submit();
      source.says = error;
      pass(24 * HOUR - 1);
      expect(await submit()).toMatchObject({ success: true });
      expect(recipients()).toEqual(["ada@example.org", "ada@example.org"]);
      expect(lines.join()).toContain("could not be read again");
      expect(lines.join()).not.toContain("ada@example.org");
    },
  );

  it.each(failures)("because it %s delays the email beyond that limit, until the source answers", async (_, error) => {
    const { submit, source, pass, mails } = await start();
    await submit();
    source.says = error;
    pass(24 * HOUR);
    const failed = await submit({ feedback_id: "F-late" });
    // The run waits by itself, for as long as emails are retried.
    expect(failed).toMatchObject({ success: false, error_type: "io_error", retriable: true, status: "processing" });
    expect(failed.steps_completed).toContain("feedback_stored");
    expect(mails.mails).toHaveLength(1);
    source.says = moved;
    expect(await submit({ feedback_id: "F-late" })).toMatchObject({ success: true });
    expect(mails.mails).toHaveLength(2);
  });

  it("is asked again in later attempts, and the email goes to the address that it then gives", async () => {
    const { submit, source, pass, recipients } = await start();
    await submit();
    pass(48 * HOUR);
    let attempts = 0;
    source.says = away;
    const get = source.get.bind(source);
    source.get = async (id) => {
      attempts += 1;
      if (attempts === 4) source.says = moved;
      return get(id);
    };
    expect(await submit()).toMatchObject({ success: true });
    expect(recipients()).toEqual(["ada@example.org", "ada@new.example"]);
  });

  it("delays emails to a customer if it is unknown when their data was read", async () => {
    const { submit, ontologyStore, source, mails } = await start();
    await ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT DATA { <urn:eve> a abi:Customer ; abi:id "C-7" ; abi:email "e@x.org" }`,
    );
    source.says = away;
    expect(await submit({ customer_id: "C-7" })).toMatchObject({ success: false, error_type: "io_error" });
    expect(mails.mails).toEqual([]);
  });
});

it("invalid customer data from the source stops the email, however new the graph's data is: it may be an objection", async () => {
  const { submit, source, pass, mails } = await start();
  await submit();
  source.says = new ValidationError("do_not_contact must be true or false", { code: "customer_invalid" });
  pass(2 * HOUR);
  expect(await submit()).toMatchObject({ success: false, error_code: "customer_invalid" });
  expect(mails.mails).toHaveLength(1);
});

describe("an email that is retried hours after it was permitted", () => {
  /** Lets the mail server fail once, and does something before the second attempt. */
  async function retried(meanwhile: (parts: Awaited<ReturnType<typeof start>>) => void) {
    const parts = await start();
    const { emailIntegration } = parts.workflow["configuration"];
    const send = emailIntegration.send.bind(emailIntegration);
    let attempts = 0;
    emailIntegration.send = async (message, options) => {
      attempts += 1;
      if (attempts > 1) return send(message, options);
      meanwhile(parts);
      throw new IoError("The mail server is busy.");
    };
    return { ...parts, result: await parts.submit() };
  }

  it("goes to the customer's current address", async () => {
    const { recipients } = await retried(({ source, pass }) => {
      source.says = moved;
      pass(5 * HOUR);
    });
    expect(recipients()).toEqual(["ada@new.example"]);
  });

  it.each([
    ["has objected", objecting, /contacted/],
    ["is gone", undefined, /no longer knows/],
    ["has an address of a machine", { ...ADA, email: "no-reply@example.org" }, /no_reply_address/],
  ])("is not sent to a customer who meanwhile %s", async (_, says, reason) => {
    const { result, mails } = await retried(({ source, pass }) => {
      source.says = says;
      pass(5 * HOUR);
    });
    expect(result).toMatchObject({ success: true, response_withheld: expect.stringMatching(reason) });
    expect(mails.mails).toEqual([]);
  });
});

describe("an email that a person has approved", () => {
  async function approvedAfter(says: CustomerRecord | undefined | Error) {
    const parts = await start({ approval: true });
    const { workflow_id: id = "" } = await parts.submit();
    const { rendering } = await pendingOf(parts.workflow, id);
    parts.source.says = says;
    parts.pass(72 * HOUR);
    await parts.workflow.approveResponse(id, { rendering, by });
    return { ...parts, id, rendering, result: await parts.workflow.getWorkflowResult(id) };
  }

  it("does not go to an old address: it is drafted again for the new one, and waits again", async () => {
    const { result, workflow, id, rendering, mails } = await approvedAfter(moved);
    expect(result).toMatchObject({ status: "waiting_for_approval" });
    expect(mails.mails).toEqual([]);
    const pending = await pendingOf(workflow, id);
    expect(pending.recipient).toBe("ada@new.example");
    expect(pending.rendering).not.toBe(rendering);
  });

  it("goes out if nothing has changed", async () => {
    const { recipients } = await approvedAfter(ADA);
    expect(recipients()).toEqual(["ada@example.org"]);
  });

  it.each([
    ["has objected", objecting, /contacted/],
    ["is gone", undefined, /no longer knows/],
  ])("does not go to a customer who %s", async (_, says, reason) => {
    const { result, mails } = await approvedAfter(says);
    expect(result).toMatchObject({ success: true, response_withheld: expect.stringMatching(reason) });
    expect(mails.mails).toEqual([]);
  });

  it("waits if the source doesn't answer", async () => {
    const { result, mails } = await approvedAfter(away);
    expect(result).toMatchObject({ success: false, error_type: "io_error", retriable: true });
    expect(mails.mails).toEqual([]);
  });
});

it.each([
  { maxAgeMs: -1, staleIfErrorMs: 0 },
  { maxAgeMs: 0, staleIfErrorMs: Number.NaN },
])("the workflow's constructor refuses the ages %j", async (freshness) => {
  await expect(start({}, freshness)).rejects.toThrow(/customerFreshness/);
});

describe("an application with a customer source in its settings", () => {
  const CSV = "id,name,email,do_not_contact\n";

  async function openWith(customerSource: string, environment: Record<string, string> = {}) {
    const outbox = join(temporaryFolder(), "outbox");
    const settings = readSettings(
      { dataDirectory: join(temporaryFolder(), "data"), customerSource, mailUrl: `outbox:${outbox}` },
      { CUSTOMER_MAX_AGE: "0", ...environment },
    );
    const application = await openApplication(settings, silentLogger);
    onTestFinished(() => application.close());
    return application.workflow;
  }

  it("follows changes to its file: a customer who objects or is removed gets no email", async () => {
    const file = join(temporaryFolder(), "customers.csv");
    writeFileSync(file, `${CSV}C-1,Ada,ada@example.org,\n`);
    const workflow = await openWith(file);
    expect(await workflow.run(feedback())).toMatchObject({ response_id: expect.any(String) });
    writeFileSync(file, `${CSV}C-1,Ada,ada@example.org,yes\n`);
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toMatchObject({
      response_withheld: expect.stringMatching(/contacted/),
    });
    writeFileSync(file, `${CSV}C-2,Bo,bo@example.org,\n`);
    expect(await workflow.run(feedback({ feedback_id: "F-3" }))).toMatchObject({
      response_withheld: expect.stringMatching(/no longer knows/),
    });
    rmSync(file);
    // The graph's data is new enough to count, and says that the customer objects.
    expect(await workflow.run(feedback({ feedback_id: "F-4" }))).toMatchObject({ success: true });
  });

  it("follows changes in its service", async () => {
    const server = await serve({ json: { name: "Ada", email: "ada@example.org" } }, { status: 404 });
    const workflow = await openWith(`${server.origin}/{id}`, { CUSTOMER_MAX_AGE: "0" });
    expect(await workflow.run(feedback({ send_response: false }))).toMatchObject({ action: "no_action" });
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toMatchObject({
      response_withheld: expect.stringMatching(/no longer knows/),
    });
  });

  it("identifies the source by its server or file name, without secrets or folders", () => {
    const name = (location: string) => createCustomerSource(location).name;
    expect(name("https://jo:hunter2@crm.example.com/v1/{id}?key=t0ken")).toBe("https://crm.example.com");
    expect(name("https://crm.example.com/customers")).toBe("https://crm.example.com");
    expect(name("/home/jo/customers.csv")).toBe("customers.csv");
  });
});

function setCustomer(store: OntologyStore, property: string, value: boolean): Promise<void> {
  return store.update(
    "customer_data",
    `${PREFIXES} INSERT { ?customer ${property} ?value } WHERE { ?customer abi:id "C-1" }`,
    { value },
  );
}
