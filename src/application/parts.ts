/**
 * Opens the parts of an application, each separately. A program that needs one of them doesn't load
 * the others, or adapters that the settings don't name.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Analyzers } from "../analysis/chat-model/chat-model-analyzers.ts";
import { isForThisVersion, type TrainedWeights } from "../analysis/embedded/trained-weights.ts";
import type { DurableEngine, EngineOptions } from "../engine/durable-engine.ts";
import { ValidationError } from "../errors.ts";
import type { MailboxWatcher } from "../integrations/mailbox/mailbox-watcher.ts";
import { outboxFolderOf } from "../integrations/email/outbox/outbox-folder.ts";
import { withoutAbsent } from "../json.ts";
import type { OntologyStore } from "../ontology/ontology-store.ts";
import { DEFAULT_RETRY_POLICY } from "../retry-policies.ts";
import { namesModel, type Settings } from "./settings.ts";
import type { Service } from "../framework/service.ts";
import { IN_MEMORY } from "./settings.ts";
import { TracedOntologyStore } from "../telemetry/traced-ontology-store.ts";

/** The path of a file in the data directory. */
export const dataFile = ({ dataDirectory }: Pick<Settings, "dataDirectory">, name: string): string =>
  dataDirectory === IN_MEMORY ? IN_MEMORY : join(dataDirectory, name);

/**
 * The file of the runs and the knowledge graph, if they are embedded. In one file, they share
 * flushes, and a backup has both as they were at the same moment.
 * @throws ValidationError (`data_too_old`) if an earlier build has left them in two files
 */
export function runsAndGraph(settings: Pick<Settings, "dataDirectory">): string {
  const path = dataFile(settings, "data.sqlite");
  const earlier = ["runs.sqlite", "ontology.sqlite"].filter((name) => existsSync(dataFile(settings, name)));
  if (path === IN_MEMORY || existsSync(path) || earlier.length === 0) return path;
  throw new ValidationError(
    `The data directory was written by an earlier build of this package: it has ${earlier.join(" and ")} in it, but this build keeps runs and ` +
      "graph in data.sqlite. Continue with the earlier build, or choose another data directory.",
    { code: "data_too_old" },
  );
}

let temporary: string | undefined;
/**
 * A new folder for each process, so that no process mistakes another one's email for its own. It is
 * created with the first email, and stays, because that is where people find the emails.
 */
const temporaryOutbox = (): string => (temporary ??= join(tmpdir(), `abi-workflows-outbox-${randomUUID()}`));

/**
 * The folder to which emails are written if no mail server is set; undefined if one is. If all data
 * is in memory, it is a temporary folder.
 */
export function outboxFolder(settings: Settings): string | undefined {
  const { dataDirectory, mailUrl } = settings;
  if (mailUrl !== undefined) return outboxFolderOf(mailUrl);
  return dataDirectory === IN_MEMORY ? temporaryOutbox() : join(dataDirectory, "outbox");
}

/**
 * The folder in which this process can find the emails of its runs. Undefined if a mail server is
 * set. Also undefined with a shared database, because another process, with another folder, may
 * execute a run and write its email.
 */
export const ownOutbox = (settings: Settings): string | undefined =>
  settings.databaseUrl === undefined ? outboxFolder(settings) : undefined;

/**
 * Opens the engine that the settings name.
 * @param options with `worker: false`, the engine executes no runs, so another process may execute
 *   them at the same time
 * @throws ValidationError if the URL is invalid, a package is missing, or this version can't read
 *   the file
 * @throws IoError if the database can't be opened or reached, or another worker is using its file
 */
export async function openEngine(
  settings: Settings,
  options: Pick<EngineOptions, "worker" | "logger"> = {},
): Promise<DurableEngine> {
  const { databaseUrl, retryAttempts: attempts, retryDelayMs: initialDelayMs } = settings;
  const engineOptions = {
    ...options,
    concurrencyPer: settings.maxParallelRequestsPer,
    retry: { ...DEFAULT_RETRY_POLICY, attempts, initialDelayMs },
  };
  const { DurableEngine } = await import("../engine/durable-engine.ts");
  return databaseUrl === undefined
    ? new DurableEngine({ ...engineOptions, path: runsAndGraph(settings) })
    : DurableEngine.connect(databaseUrl, { ...engineOptions, restate: restateOptions(settings) });
}

const restateOptions = ({
  restateAdminUrl,
  restateWorkerUrl,
  restateToken,
  restateListen,
  restateIdentityKey,
}: Settings) =>
  withoutAbsent({
    adminUrl: restateAdminUrl,
    workerUrl: restateWorkerUrl,
    token: restateToken,
    listen: restateListen,
    identityKey: restateIdentityKey,
  });

/**
 * Opens the knowledge graph that the settings name: the SPARQL endpoint if one is set, otherwise
 * the file in the data directory.
 * @throws ValidationError, IoError: see the two stores
 */
export async function openOntologyStore(settings: Settings): Promise<OntologyStore> {
  const { ontologyUrl, ontologyUpdateUrl, ontologyGraphStoreUrl, ontologyToken, ontologyAuthentication } = settings;
  if (ontologyUrl === undefined) {
    const { OxigraphOntologyStore } = await import("../ontology/oxigraph/oxigraph-ontology-store.ts");
    const store = await OxigraphOntologyStore.open({ path: runsAndGraph(settings) });
    return new TracedOntologyStore(store, "oxigraph");
  }
  const { SparqlEndpointStore } = await import("../ontology/sparql-endpoint/sparql-endpoint-store.ts");
  const store = new SparqlEndpointStore({
    url: ontologyUrl,
    ...withoutAbsent({
      updateUrl: ontologyUpdateUrl,
      graphStoreUrl: ontologyGraphStoreUrl,
      token: ontologyToken,
      authentication: ontologyAuthentication,
    }),
  });
  return new TracedOntologyStore(store, "sparql");
}

/**
 * Creates the watcher that passes emails from the mailbox in the settings to the service; undefined
 * if the settings name no mailbox. The caller starts it, and closes it before the service's engine.
 * @throws ValidationError for an invalid URL, or if no workflow receives mail
 */
export async function openMailboxWatcher(
  { imapUrl: url, imapDoneFolder: doneFolder }: Pick<Settings, "imapUrl" | "imapDoneFolder">,
  service: Service,
): Promise<MailboxWatcher | undefined> {
  if (url === undefined) return undefined;
  if (!service.receivesMail) {
    throw new ValidationError("IMAP_URL (imapUrl) names a mailbox, but no workflow here receives mail.", {
      code: "invalid_configuration",
    });
  }
  const { MailboxWatcher } = await import("../integrations/mailbox/mailbox-watcher.ts");
  const receive = (raw: Uint8Array) => service.receiveMail(raw);
  return new MailboxWatcher({ url, doneFolder, receive, logger: service.logger });
}

/**
 * The weights that `abi-workflows train` has stored in the data directory; undefined if there are
 * none, or all data is in memory.
 * @throws ValidationError (`trained_weights_damaged`), IoError
 */
export async function openTrainedWeights({
  dataDirectory,
}: Pick<Settings, "dataDirectory">): Promise<TrainedWeights | undefined> {
  if (dataDirectory === IN_MEMORY) return undefined;
  const { readTrainedWeights, TRAINED_WEIGHTS_FILE } = await import("../analysis/embedded/read-trained-weights.ts");
  return readTrainedWeights(join(dataDirectory, TRAINED_WEIGHTS_FILE));
}

/**
 * Creates the analysers: the embedded ones (word lists and a small model), or those with a chat
 * model, which fall back on the embedded ones.
 * @param trained what the embedded analysers have learned; weights for other versions of the
 *   analysers are ignored
 * @throws ValidationError if there is no service for the chat model
 */
export async function openAnalyzers(
  settings: Pick<Settings, "analyzer" | "openaiApiKey" | "openaiBaseUrl" | "openaiModel">,
  trained?: TrainedWeights,
): Promise<Analyzers> {
  const { EmbeddedSentimentAnalyzer } = await import("../analysis/embedded/embedded-sentiment-analyzer.ts");
  const { EmbeddedFeedbackCategorizer } = await import("../analysis/embedded/embedded-feedback-categorizer.ts");
  const options = { trained: trained && isForThisVersion(trained) ? trained : undefined };
  const embedded: Analyzers = {
    sentimentAnalyzer: new EmbeddedSentimentAnalyzer(options),
    feedbackCategorizer: new EmbeddedFeedbackCategorizer(options),
  };
  if (settings.analyzer === "embedded") return embedded;
  if (!namesModel(settings)) {
    throw new ValidationError(
      "ANALYZER (analyzer) is chat-model, which needs a model service: set OPENAI_API_KEY, or OPENAI_BASE_URL for another one.",
      { code: "invalid_configuration" },
    );
  }
  const { createChatModelAnalyzers } = await import("../analysis/chat-model/chat-model-analyzers.ts");
  const { openJudgingModel } = await import("../analysis/chat-model/judging-model.ts");
  return createChatModelAnalyzers({ ...(await openJudgingModel(settings)), fallback: embedded });
}
