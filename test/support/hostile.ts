/** Customer feedback with something to steal: another customer's data, and an email to them that may be waiting. */
import { ChatOpenAI } from "@langchain/openai";
import { onTestFinished } from "vitest";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import type { OntologyStore } from "../../src/ontology/ontology-store.ts";
import { entityUri } from "../../src/ontology/entity-uri.ts";
import { select } from "../../src/ontology/queries.ts";
import { PREFIXES } from "../../src/ontology/vocabulary.ts";
import type { CustomerRecord, CustomerSource } from "../../src/integrations/customers/customer-source.ts";
import { CustomerDataPipeline } from "../../src/pipelines/customer-data-pipeline.ts";
import {
  hostileTable,
  hostileTexts,
  isHarmless,
  obedientModel,
  readSentMail,
  type HostileReport,
  type HostileText,
  type HostileTrial,
  type ObedientModel,
  type ObedientModelOptions,
} from "../../testing/index.ts";
import { feedback, startFeedback, type Feedback } from "./feedback.ts";
import type { ReceivedMail } from "./smtp.ts";

export const CUSTOMER: CustomerRecord = { id: "C-1001", email: "ada@example.org" };
export const VICTIM: CustomerRecord = {
  id: "C-1002",
  name: "Viola Winterbottom",
  email: "viola@private.example.net",
  segment: "premium",
  lifetime_value: 123_456,
};

export const PRIVATE_ID = "PRIVATE-77";

/** The victim's own feedback, which nobody else may see. */
export const PRIVATE = feedback({
  feedback_id: PRIVATE_ID,
  customer_id: VICTIM.id,
  subject: "My seventeen zeppelins",
  feedback_text: "The zeppelins that I keep from my neighbours are broken.",
});

/** Data that only the victim has. Their id isn't part of it, because the texts name it. */
export const SECRETS = ["Winterbottom", "viola@private", "zeppelin"];

export const TEXTS: readonly HostileText[] = hostileTexts({ customer: CUSTOMER.id, victim: VICTIM.id });

/** A customer source in which the name of the customer who writes can change at any time. */
export class HostileSource implements CustomerSource {
  customerName = "Ada Lovelace";

  async get(id: string): Promise<CustomerRecord | undefined> {
    return this.#all().find((customer) => customer.id === id);
  }

  async *list(): AsyncGenerator<CustomerRecord> {
    yield* this.#all();
  }

  #all(): CustomerRecord[] {
    return [{ ...CUSTOMER, name: this.customerName }, VICTIM];
  }
}

export interface HostileParts extends Feedback {
  /** The part of a trial of this workflow that is the same for every interface. */
  watched: Pick<HostileTrial, "texts" | "isStored" | "outbox" | "decisions" | "recipients" | "secrets">;
  /** Call this before each text: it gives the customer the name that belongs to the text. */
  prepare: (text: HostileText) => void;
}

/** A configuration for `startFeedback`, and the parts of it that `watch` needs. */
export async function hostileConfiguration(configuration: Parameters<typeof startFeedback>[0] = {}) {
  const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
  const customers = new HostileSource();
  const pipeline = new CustomerDataPipeline({ customerSource: customers, ontologyStore });
  return {
    customers,
    pipeline,
    configuration: {
      ontologyStore,
      customerDataPipeline: pipeline,
      // A new name takes effect at once, and no email is held back by a cap.
      customerFreshness: { maxAgeMs: 0, staleIfErrorMs: 0 },
      responseCap: false as const,
      ...configuration,
    },
  };
}

/** Processes the victim's feedback, whose email is then sent or waits. Returns what a trial sees on the receiving side. */
export async function watch(
  parts: Feedback,
  { customers, pipeline }: { customers: HostileSource; pipeline: CustomerDataPipeline },
): Promise<Pick<HostileParts, "watched" | "prepare">> {
  await parts.workflow.run(PRIVATE);
  // Stores this customer's address, by which their emails are recognized.
  await pipeline.run({ customer_id: CUSTOMER.id });
  const mails = parsedMails(parts.mails.mails);
  return {
    watched: {
      texts: TEXTS,
      isStored: (text) => isStored(parts.ontologyStore, text),
      outbox: mails,
      decisions: () => decisionsIn(parts.ontologyStore),
      recipients: [CUSTOMER.email!],
      secrets: SECRETS,
    },
    prepare: ({ customerName }) => {
      customers.customerName = customerName;
    },
  };
}

export async function startHostile(configuration: Parameters<typeof startFeedback>[0] = {}): Promise<HostileParts> {
  const made = await hostileConfiguration(configuration);
  const parts = await startFeedback(made.configuration);
  return { ...parts, ...(await watch(parts, made)) };
}

/** Parses each email only once. */
function parsedMails(received: readonly ReceivedMail[]): HostileTrial["outbox"] {
  const parsed: Awaited<ReturnType<typeof readSentMail>>[] = [];
  return async () => {
    for (const { raw, envelope } of received.slice(parsed.length)) {
      parsed.push(await readSentMail(Buffer.from(raw, "latin1"), envelope.to));
    }
    return parsed;
  };
}

/**
 * Whether the text is in the graph, under the customer who wrote it. It is found by its content, because emails and some
 * rows have ids of their own.
 */
export async function isStored(
  store: OntologyStore,
  { feedback: { subject, feedback_text } }: HostileText,
): Promise<boolean> {
  const rows = await select(
    store,
    "feedback_data",
    `${PREFIXES} SELECT ?customer WHERE {
       ?feedback a abi:Feedback ; abi:subject ?subject ; abi:text ?text ; abi:providedBy ?customer }`,
    { subject, text: feedback_text.trim() },
  );
  return rows.some(({ customer }) => customer!.value === entityUri("Customer", CUSTOMER.id));
}

/** How often a person has decided on an email. */
export const decisionsIn = async (store: OntologyStore): Promise<number> =>
  (await valuesOf(store, "?thing abi:decision ?value")).length;

async function valuesOf(store: OntologyStore, pattern: string): Promise<string[]> {
  const rows = await select(store, "feedback_data", `${PREFIXES} SELECT ?value WHERE { ${pattern} }`);
  return rows.map(({ value }) => value!.value);
}

/** Starts the model that obeys; it is closed when the test ends. */
export async function startObedientModel(options: Partial<ObedientModelOptions> = {}): Promise<ObedientModel> {
  const model = await obedientModel({ texts: TEXTS, customer: CUSTOMER.id, ...options });
  onTestFinished(() => model.close());
  return model;
}

/** Empty if no harm was done; else the table, so that the failure message says which texts did harm. */
export const harmOf = (report: HostileReport): string => (isHarmless(report) ? "" : hostileTable([report]));

/** The obedient model, as LangChain calls it. */
export const chatModelOf = ({ url }: { url: string }, options: { maxRetries?: number } = {}): ChatOpenAI =>
  new ChatOpenAI({ model: "obedient", apiKey: "none", configuration: { baseURL: url }, ...options });
