// The process that the crash test kills: customer feedback on real parts, with crash points around
// everything that has effects. Some of the emails wait for a person, whose decisions it makes as
// well. Arguments: where the runs are, where the graph is, folder of the customers, URL of the mail
// server, URL for tickets, how many pieces of feedback. If several processes share the work,
// each submits every other piece and executes whatever is due.
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  abi,
  createCustomerSource,
  createLogger,
  createMailTransport,
  createTicketSystem,
  CustomerDataPipeline,
  CustomerFeedbackWorkflow,
  EmailIntegration,
  EmbeddedFeedbackCategorizer,
  EmbeddedSentimentAnalyzer,
  DurableEngine,
  isAbiError,
  type OntologyStore,
  type RunStore,
} from "../../src/index.ts";
import { isTerminal } from "../../src/engine/engine.ts";
import { CrashPoints } from "../../testing/index.ts";
import { editedText, feedbackItem, verdict, verdictOn } from "./items.ts";
import { isOnRestate, restateOptions } from "../support/engine-at.ts";
import { openGraph } from "./place.ts";

type Arguments = [runs: string, graph: string, folder: string, mailUrl: string, ticketUrl: string, count: string];
const [runs, graph, folder, mailUrl, ticketUrl, count] = process.argv.slice(2) as Arguments;
const points = new CrashPoints(process.argv);
const isShared = points.workers > 1;
// The runs of a killed process wait for its lease to expire; the others need something to do in the
// meantime.
const MOST_UNFINISHED = isShared ? 48 : 24;
/** Long enough for many leases; whatever is not done by then is lost. */
const LONGEST_RUN_MS = 300_000;

const logger = createLogger("error");
const store = await openGraph(graph);
watchDrafts(store);
const ontologyStore = points.ontologyStore(store);
const engine = new DurableEngine({
  store: await openStore(),
  concurrency: isShared ? 2 : 8,
  // The steps do not end this process, so a step that is running when it is killed must not be
  // given up.
  retry: { attempts: 1000, initialDelayMs: 10, maximumDelayMs: 100 },
  logger,
});
const emailIntegration = new EmailIntegration({
  transport: points.mailTransport(createMailTransport(mailUrl)),
  from: "care@shop.example",
});
const customerSource = createCustomerSource(join(folder, "customers.csv"));

async function openStore(): Promise<RunStore> {
  if (isOnRestate(runs)) return points.restateRunStore(runs, restateOptions(runs, points.worker));
  return isShared ? points.postgresRunStore(runs) : points.runStore(runs);
}

/** If the run server is down, people and programs repeat their calls. */
async function untilAnswered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (const until = performance.now() + LONGEST_RUN_MS; ;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAbiError(error) || error.code !== "engine_unavailable" || performance.now() > until) throw error;
      await setTimeout(100);
    }
  }
}

/** Customer feedback in which a person must approve some of the emails. */
class PartlyApprovedFeedback extends CustomerFeedbackWorkflow {
  isApprovalNeeded = false;

  protected override submissionExtras(): { approval?: true } {
    return this.isApprovalNeeded ? { approval: true } : {};
  }
}
const workflow = new PartlyApprovedFeedback({
  engine,
  // A killed worker's runs keep their slots until its lease expires: with few slots, the others
  // would mostly wait.
  maxParallelRequests: 500,
  ontologyStore,
  customerDataPipeline: new CustomerDataPipeline({ customerSource, ontologyStore, logger }),
  sentimentAnalyzer: new EmbeddedSentimentAnalyzer(),
  feedbackCategorizer: new EmbeddedFeedbackCategorizer(),
  emailIntegration,
  ticketSystem: points.ticketSystem(createTicketSystem(ticketUrl, { ontologyStore })),
  // The first email over the cap would depend on the order, and therefore on the kills.
  responseCap: { responses: 1_000_000, minutes: 180 },
  logger,
});
workflow.register();
engine.startWorker();

/** Drafts have their own points, besides those of everything that is stored. */
function watchDrafts(store: OntologyStore): void {
  const insert = store.insert.bind(store);
  store.insert = async (name, quads) => {
    const isDraft = [...quads].some(({ predicate }) => predicate.equals(abi.hasDraft));
    if (isDraft) points.reach("before:drafts.insert");
    await insert(name, quads);
    if (isDraft) points.reach("after:drafts.insert");
  };
}

/** May be called repeatedly: the same decision again changes nothing. */
async function decide(id: string): Promise<void> {
  const pending = await workflow.getPendingResponse(id);
  if (!pending) return;
  const { rendering, feedback_id } = pending;
  const decision = { rendering, by: "Ann" };
  const chosen = verdictOn(feedback_id);
  if (chosen === "approve") await workflow.approveResponse(id, decision);
  else if (chosen === "edit") await workflow.editResponse(id, { ...decision, text: editedText(feedback_id) });
  else await workflow.rejectResponse(id, decision);
}

const unfinished = new Set<Promise<void>>();
async function completion(id: string): Promise<void> {
  const signal = AbortSignal.timeout(LONGEST_RUN_MS);
  const { status, error } = await untilAnswered(() => engine.wait(id, { signal }));
  if (status === "waiting_for_approval") {
    await untilAnswered(() => decide(id));
    return completion(id);
  }
  if (status !== "completed") throw new Error(`${id} is ${status}: ${error?.error}`);
}
function follow(id: string): void {
  const end = completion(id).finally(() => unfinished.delete(end));
  unfinished.add(end);
}

const items = Array.from({ length: Number(count) }, (_, n) => ({ ...feedbackItem(n), verdict: verdict(n) })).filter(
  (_, n) => n % points.workers === points.worker,
);
// What earlier processes have promised continues automatically; just wait for it. Look up each item
// separately: right after a crash of the server, a list may show an earlier state.
const promised = items.slice(0, points.acknowledged);
const found = promised.map(({ feedback_id: key }) => untilAnswered(() => engine.find(workflow.name, key)));
for (const run of await Promise.all(found)) {
  if (run === undefined) throw new Error("a run was acknowledged that is not there");
  if (!isTerminal(run.status)) follow(run.id);
}
for (const { verdict, ...item } of items.slice(points.acknowledged)) {
  while (unfinished.size >= MOST_UNFINISHED) await Promise.race(unfinished);
  workflow.isApprovalNeeded = verdict !== undefined;
  const id = await untilAnswered(() => workflow.startWorkflow(item));
  points.acknowledge();
  follow(id);
}
await Promise.all(unfinished);

await engine.close();
await emailIntegration.close();
await store.close();
