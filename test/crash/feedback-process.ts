// The process that the crash test kills: customer feedback on real parts, with crash points around all that has effects.
// Arguments: data folder, URL of the mail server, URL for tickets, how many pieces of feedback.
import { join } from "node:path";
import {
  createCustomerSource,
  createLogger,
  createMailTransport,
  createTicketSystem,
  CustomerDataPipeline,
  CustomerFeedbackWorkflow,
  EmailIntegration,
  EmbeddedFeedbackCategorizer,
  EmbeddedSentimentAnalyzer,
  OpenWorkflowEngine,
  OxigraphOntologyStore,
} from "../../src/index.ts";
import { CrashPoints } from "../../testing/index.ts";
import { feedbackItem } from "./items.ts";

const [folder, mailUrl, ticketUrl, count] = process.argv.slice(2) as [string, string, string, string];
const MOST_UNFINISHED = 24;

const points = new CrashPoints(process.argv);
const logger = createLogger("error");
const store = await OxigraphOntologyStore.open({ path: join(folder, "ontology.sqlite") });
const ontologyStore = points.ontologyStore(store);
const engine = new OpenWorkflowEngine({
  database: points.engineDatabase(join(folder, "runs.sqlite")),
  concurrency: 8,
  // It is not the steps that end this process: whichever is at work when it is killed must not be given up for it.
  retry: { attempts: 1000, initialDelayMs: 10, maximumDelayMs: 100 },
  logger,
});
const emailIntegration = new EmailIntegration({
  transport: points.mailTransport(createMailTransport(mailUrl)),
  from: "care@shop.example",
});
const customerSource = createCustomerSource(join(folder, "customers.csv"));
const workflow = new CustomerFeedbackWorkflow({
  engine,
  ontologyStore,
  customerDataPipeline: new CustomerDataPipeline({ customerSource, ontologyStore, logger }),
  sentimentAnalyzer: new EmbeddedSentimentAnalyzer(),
  feedbackCategorizer: new EmbeddedFeedbackCategorizer(),
  emailIntegration,
  ticketSystem: points.ticketSystem(createTicketSystem(ticketUrl, { ontologyStore })),
  // Which mail would be the first over the cap depends on the order, and that on the kills.
  responseCap: { responses: 1_000_000, minutes: 180 },
  logger,
}).register();
engine.resume();

const unfinished = new Set<Promise<void>>();
async function completion(id: string): Promise<void> {
  const { status, error } = await engine.wait(id);
  if (status !== "completed") throw new Error(`${id} is ${status}: ${error?.error}`);
}
function follow(id: string): void {
  const end = completion(id).finally(() => unfinished.delete(end));
  unfinished.add(end);
}

// What earlier processes have promised goes on by itself; it is only waited for.
for (const status of ["started", "processing"] as const) {
  for (const { id } of await engine.list({ status, limit: 1000 })) follow(id);
}
while (points.acknowledged < Number(count)) {
  while (unfinished.size >= MOST_UNFINISHED) await Promise.race(unfinished);
  const id = await workflow.startWorkflow(feedbackItem(points.acknowledged));
  points.acknowledge();
  follow(id);
}
await Promise.all(unfinished);

await engine.close();
await emailIntegration.close();
await store.close();
