/**
 * The steps that contestants run: `feedback` does the minimum for a piece of customer feedback,
 * `bare` returns 200 bytes. Customers, analysers, graph and outbox are ours for all contestants, so
 * that only the durable execution differs.
 */
import { join } from "node:path";
import { DataFactory } from "n3";
import {
  createCustomerSource,
  createMailTransport,
  EmbeddedFeedbackCategorizer,
  EmbeddedSentimentAnalyzer,
  OxigraphOntologyStore,
} from "../../src/index.ts";
import { customerId, feedbackText, writeCustomers } from "../support/feedback.ts";
import type { Step } from "./contestant.ts";

const BARE_RESULT = "x".repeat(200);

export const bareSteps: readonly Step[] = Array.from(
  { length: 5 },
  (_, at) => [`step-${at + 1}`, async () => BARE_RESULT] as const,
);

export interface OpenSteps {
  readonly steps: readonly Step[];
  close(): Promise<void>;
}

/**
 * Looks up the customer, analyses the text, decides, inserts into the graph, and sends an email.
 */
export async function openFeedbackSteps(folder: string): Promise<OpenSteps> {
  const customers = createCustomerSource(writeCustomers(folder));
  const graph = await OxigraphOntologyStore.open({ path: join(folder, "graph.sqlite") });
  const outbox = createMailTransport(`outbox:${join(folder, "outbox")}`);
  const analyzer = new EmbeddedSentimentAnalyzer();
  const categorizer = new EmbeddedFeedbackCategorizer();
  const lookUp = (n: number) =>
    customers.get(customerId(n), { includeTransactions: false, includeInteractions: false });
  const steps: Step[] = [
    [
      "customer",
      async (n) => {
        const { id, segment } = (await lookUp(n))!;
        return { id, segment };
      },
    ],
    [
      "analysis",
      async (n) => {
        const { sentiment } = analyzer.analyze(feedbackText(n));
        const { categories } = categorizer.categorize(feedbackText(n));
        return { sentiment, categories };
      },
    ],
    ["decision", async (n) => ({ action: n % 2 === 0 ? "answer" : "escalate" })],
    [
      "graph",
      async (n) => {
        await graph.insert("feedback", factsOf(n));
        return { stored: true };
      },
    ],
    [
      "mail",
      async (n) => {
        await outbox.send({
          from: "Customer Care <care@example.org>",
          to: (await lookUp(n))!.email!,
          subject: "Re: Feedback",
          html: "<p>Thank you for your feedback.</p>",
          text: "Thank you for your feedback.",
          messageId: `<feedback-${n}@example.org>`,
          headers: {},
        });
        return { sent: true };
      },
    ],
  ];
  return { steps, close: async () => void (await Promise.all([graph.close(), outbox.close()])) };
}

const PROPERTIES = [
  "customer",
  "subject",
  "text",
  "channel",
  "sentiment",
  "score",
  "category",
  "action",
  "received",
  "answered",
];

/** Twelve facts about one piece of feedback. */
function factsOf(n: number) {
  const feedback = DataFactory.namedNode(`https://example.org/feedback/${n}`);
  return [
    DataFactory.quad(
      feedback,
      DataFactory.namedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
      DataFactory.namedNode("https://example.org/Feedback"),
    ),
    DataFactory.quad(
      feedback,
      DataFactory.namedNode("https://example.org/of"),
      DataFactory.namedNode(`https://example.org/customer/${customerId(n)}`),
    ),
    ...PROPERTIES.map((property) =>
      DataFactory.quad(
        feedback,
        DataFactory.namedNode(`https://example.org/${property}`),
        DataFactory.literal(`${property}: ${feedbackText(n)}`),
      ),
    ),
  ];
}
