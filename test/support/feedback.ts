import { onTestFinished } from "vitest";
import { EmbeddedFeedbackCategorizer } from "../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import type { RetryPolicy } from "../../src/retry-policies.ts";
import type { CustomerRecord, CustomerSource } from "../../src/integrations/customers/customer-source.ts";
import { createMailTransport } from "../../src/integrations/email/create-mail-transport.ts";
import { EmailIntegration } from "../../src/integrations/email/email-integration.ts";
import { silentLogger, type Logger } from "../../src/log.ts";
import { GraphTicketSystem } from "../../src/integrations/tickets/graph-ticket-system.ts";
import type { OntologyStore } from "../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../src/ontology/queries.ts";
import { PREFIXES } from "../../src/ontology/vocabulary.ts";
import { CustomerDataPipeline } from "../../src/pipelines/customer-data-pipeline.ts";
import type { CustomerFeedbackWorkflowConfiguration } from "../../src/workflows/customer-feedback/configuration.ts";
import { CustomerFeedbackWorkflow } from "../../src/workflows/customer-feedback/customer-feedback-workflow.ts";
import { startSmtpServer, type SmtpTestServer } from "./smtp.ts";

export const CUSTOMERS: CustomerRecord[] = [
  { id: "C-1", name: "Ada Lovelace", email: "ada@example.org", segment: "standard", lifetime_value: 1000 },
  { id: "C-vip", name: "Grace Hopper", email: "grace@example.org", segment: "enterprise", lifetime_value: 90_000 },
  { id: "C-5000", name: "Edge", email: "edge@example.org", segment: "standard", lifetime_value: 5000 },
  { id: "C-5001", name: "Over", email: "over@example.org", segment: "standard", lifetime_value: 5000.01 },
  { id: "C-mute", name: "No email", segment: "standard" },
  { id: "C-bad", name: "Bad Mail", email: "a@example.org, b@example.org" },
  { id: "C-dnc", name: "Leave Me", email: "leave@example.org", do_not_contact: true },
  { id: "C-noreply", name: "Robot", email: "no-reply@example.org" },
  { id: "C-nameless", email: "nameless@example.org" },
];

// Shared, because building their lexicons takes time.
const sentimentAnalyzer = new EmbeddedSentimentAnalyzer();
const feedbackCategorizer = new EmbeddedFeedbackCategorizer();

/** A customer source that records which ids it is asked for. */
export class RecordingSource implements CustomerSource {
  readonly asked: string[] = [];
  async get(id: string): Promise<CustomerRecord | undefined> {
    this.asked.push(id);
    return CUSTOMERS.find((customer) => customer.id === id);
  }
  async *list(): AsyncGenerator<CustomerRecord> {
    yield* CUSTOMERS;
  }
}

export interface Feedback {
  workflow: CustomerFeedbackWorkflow;
  engine: DurableEngine;
  ontologyStore: OntologyStore;
  source: RecordingSource;
  mails: SmtpTestServer;
}

/** Everything except the workflow's own configuration. */
interface Surroundings {
  retry?: RetryPolicy;
  /** A mail server to use instead of the one that is started. */
  mailUrl?: string;
  /** File of the engine; default: in memory. */
  runs?: string;
  /** Whether the engine executes runs; default: yes. */
  worker?: boolean;
  /** The engine's logger; default: silent. */
  logger?: Logger;
}

/** The whole workflow on real parts: an engine and (unless given) a store in memory, and a mail server on this machine. */
export async function startFeedback(
  configuration: Partial<CustomerFeedbackWorkflowConfiguration> = {},
  {
    retry = { attempts: 3, initialDelayMs: 1, maximumDelayMs: 5 },
    mailUrl,
    runs = ":memory:",
    worker = true,
    logger = silentLogger,
  }: Surroundings = {},
): Promise<Feedback> {
  const mails = await startSmtpServer();
  const ontologyStore = configuration.ontologyStore ?? (await OxigraphOntologyStore.open({ path: ":memory:" }));
  const emailIntegration = new EmailIntegration({
    transport: createMailTransport(mailUrl ?? mails.url()),
    from: "care@shop.example",
  });
  const engine = new DurableEngine({ path: runs, retry, worker, logger });
  onTestFinished(async () => {
    await engine.close();
    await emailIntegration.close();
    await ontologyStore.close();
    await mails[Symbol.asyncDispose]();
  });
  const source = new RecordingSource();
  const workflow = new CustomerFeedbackWorkflow({
    engine,
    ontologyStore,
    customerDataPipeline: new CustomerDataPipeline({ customerSource: source, ontologyStore }),
    sentimentAnalyzer,
    feedbackCategorizer,
    emailIntegration,
    ticketSystem: new GraphTicketSystem({ ontologyStore }),
    ...configuration,
  });
  return { workflow, engine, ontologyStore, source, mails };
}

/** The values that all entities of a type in `feedback_data` have for a property. */
export async function values(store: OntologyStore, type: string, property: string): Promise<string[]> {
  const rows = await select(
    store,
    "feedback_data",
    `${PREFIXES} SELECT ?value WHERE { ?thing a abi:${type} ; ${property} ?value } ORDER BY ?value`,
  );
  return rows.map(({ value }) => value!.value);
}

export const feedback = (fields: Record<string, unknown> = {}) => ({
  feedback_id: "F-1",
  customer_id: "C-1",
  subject: "Product Feedback",
  feedback_text: "The product is great!",
  ...fields,
});
