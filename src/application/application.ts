import { existsSync } from "node:fs";
import { toMilliseconds } from "../duration.ts";
import { createCustomerSource } from "../integrations/customers/create-customer-source.ts";
import type { WorkflowEngine } from "../engine/engine.ts";
import type { CustomerSource } from "../integrations/customers/customer-source.ts";
import { createMailTransport } from "../integrations/email/create-mail-transport.ts";
import { EmailIntegration } from "../integrations/email/email-integration.ts";
import { isForThisVersion, type TrainedWeights } from "../analysis/embedded/trained-weights.ts";
import { createTicketSystem } from "../integrations/tickets/create-ticket-system.ts";
import { IoError, ValidationError } from "../errors.ts";
import { withoutAbsent } from "../json.ts";
import { createLogger, type Logger } from "../log.ts";
import type { OntologyStore } from "../ontology/ontology-store.ts";
import { openAnalyzers, openEngine, openOntologyStore, openTrainedWeights, outboxFolder } from "./parts.ts";
import { makePrivateFolder } from "../files/private-files.ts";
import { CustomerDataPipeline } from "../pipelines/customer-data-pipeline.ts";
import { shownName } from "../secrets.ts";
import type { Settings } from "./settings.ts";
import { IN_MEMORY } from "./settings.ts";
import { MailChannel } from "../integrations/notifications/mail-channel.ts";
import { WebhookChannel } from "../integrations/notifications/webhook-channel.ts";
import { loadWorkflows, type CreateWorkflows, type WorkflowParts } from "./own-workflows.ts";
import type { Workflow } from "../framework/workflow.ts";
import { freeQueryOperation } from "../questions/free-query.ts";
import { queryGraphOperation } from "../questions/query-graph.ts";
import { questionOperation } from "../questions/question-operation.ts";
import type { DirectOperation } from "../framework/operation.ts";
import { Service } from "../framework/service.ts";
import { NotificationWorkflow } from "../workflows/notifications/notification-workflow.ts";
import { CustomerFeedbackWorkflow } from "../workflows/customer-feedback/customer-feedback-workflow.ts";
import { FEEDBACK_STORE } from "../workflows/customer-feedback/feedback-graph.ts";
import { CUSTOMER_FEEDBACK_QUESTIONS } from "../workflows/customer-feedback/questions.ts";
import { IMPERSONAL_DATA } from "../workflows/customer-feedback/visible-data.ts";
import { DEFAULT_ESCALATION_POLICY } from "../workflows/customer-feedback/policy.ts";

/** An open application: customer feedback and your own workflows, ready to run. */
export interface Application {
  readonly workflow: CustomerFeedbackWorkflow;
  /** All workflows and their operations, for interfaces. */
  readonly service: Service;
  readonly engine: WorkflowEngine;
  readonly ontologyStore: OntologyStore;
  readonly customerDataPipeline: CustomerDataPipeline;
  /** Finishes the current steps, leaves the rest to the next start, and closes everything. */
  close(): Promise<void>;
}

/**
 * A process that executes no runs, and whose runs and graph are stored elsewhere, needs no folder.
 */
const keepsFiles = ({ dataDirectory, databaseUrl, ontologyUrl }: Settings, worker: boolean): boolean =>
  dataDirectory !== IN_MEMORY && (worker || databaseUrl === undefined || ontologyUrl === undefined);

function makeFolder(path: string): void {
  try {
    makePrivateFolder(path);
  } catch (cause) {
    const isFile = ["EEXIST", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
    const problem = isFile
      ? "can't be created: it, or something above it, is a file. Name a folder with --data or ABI_DATA_DIRECTORY."
      : "can't be created: the folder above it can't be written. Create the directory yourself, or name another one with --data or ABI_DATA_DIRECTORY.";
    throw new IoError(`The data directory ${path} ${problem}`, { code: "data_directory", cause });
  }
}

/** Used without `CUSTOMER_SOURCE`: then the only customers are those in the graph. */
const noCustomerSource: CustomerSource = {
  get: async () => undefined,
  list: async function* () {},
};

function customerSource(settings: Settings): CustomerSource {
  const { customerSource: location, customerSourceToken: token, customerEmailUrl: emailUrl } = settings;
  checkSenderLookUp(settings);
  if (location === undefined) return noCustomerSource;
  if (!/^(?:https?|file):/i.test(location) && !existsSync(location)) {
    throw new ValidationError(
      `There is no file ${shownName(location) ?? "of that name"}. CUSTOMER_SOURCE (customerSource) must name one, or an HTTP URL with {id} in it.`,
      {
        code: "invalid_configuration",
      },
    );
  }
  return createCustomerSource(location, {
    ...withoutAbsent({ token, emailUrl }),
  });
}

/** @throws ValidationError for `ask-source`, if there is no source or it can't search by address */
function checkSenderLookUp({ unknownSender, customerSource: location, customerEmailUrl }: Settings): void {
  const isHttp = location !== undefined && /^https?:/i.test(location);
  if (unknownSender !== "ask-source" || (location !== undefined && (!isHttp || customerEmailUrl !== undefined))) return;
  throw new ValidationError(
    "UNKNOWN_SENDER (unknownSender) is ask-source: CUSTOMER_SOURCE must name a file, or a service that " +
      "finds customers by their address at CUSTOMER_EMAIL_URL.",
    { code: "invalid_configuration" },
  );
}

/** The workflow that notifies people; none if neither `NOTIFY_URL` nor `NOTIFY_MAIL` is set. */
function notificationWorkflow(
  settings: Settings,
  { engine, emailIntegration, maxParallelRequests, logger }: WorkflowParts,
): Workflow[] {
  const { notifyUrl, notifySecret, notifyMail, notifyOn: types, publicUrl } = settings;
  if (notifySecret !== undefined && notifyUrl === undefined) {
    throw new ValidationError("NOTIFY_SECRET (notifySecret) has no effect without NOTIFY_URL (notifyUrl).", {
      code: "invalid_configuration",
    });
  }
  const channels = [
    ...(notifyUrl === undefined ? [] : [new WebhookChannel(notifyUrl, notifySecret)]),
    ...(notifyMail === undefined ? [] : [new MailChannel(emailIntegration, notifyMail)]),
  ];
  if (channels.length === 0) return [];
  const parts = { engine, maxParallelRequests, logger };
  return [new NotificationWorkflow({ ...parts, channels, types, ...withoutAbsent({ publicUrl }) })];
}

const ownWorkflows = async ({ workflows }: Settings): Promise<CreateWorkflows | undefined> =>
  workflows === undefined ? undefined : loadWorkflows(workflows);

/** Checks that processes that share runs also share the graph. */
function checkSharing({ worker, databaseUrl, ontologyUrl }: Settings, logger: Logger): void {
  if (!worker && (databaseUrl === undefined || ontologyUrl === undefined)) {
    throw new ValidationError(
      "WORKER (worker) is off, so another process executes the runs: DATABASE_URL and ONTOLOGY_URL must name the database and the graph that both share.",
      { code: "invalid_configuration" },
    );
  }
  if (databaseUrl !== undefined && ontologyUrl === undefined) {
    logger.warn(
      "The runs are in a database that processes can share (DATABASE_URL), but the knowledge graph is in a file of this process alone. " +
        "Set ONTOLOGY_URL before you start a second process.",
    );
  }
}

/**
 * The operations that query the graph: any query for operators, and what `GRAPH_TOOLS` allows for
 * agents.
 */
function graphOperations({ queryRunner }: OntologyStore, { graphTools }: Settings): DirectOperation[] {
  const forOperators = queryGraphOperation({ queryRunner, store: FEEDBACK_STORE });
  if (graphTools === "off") return [forOperators];
  const questions = CUSTOMER_FEEDBACK_QUESTIONS.map((question) => questionOperation(question, { queryRunner }));
  const free = freeQueryOperation({ queryRunner, store: FEEDBACK_STORE, visible: IMPERSONAL_DATA });
  return [forOperators, ...questions, ...(graphTools === "query" ? [free] : [])];
}

function reportTraining(trained: TrainedWeights, logger: Logger): void {
  const { version, trained_at, texts } = trained;
  if (isForThisVersion(trained)) {
    logger.info({ version, trained_at, texts }, "the text analysis uses weights that were trained on your own labels");
    return;
  }
  logger.warn(
    { version, trained_at },
    'The trained weights belong to another version of this package, so they are ignored. Run "abi-workflows train" again, or ' +
      '"abi-workflows train --reset".',
  );
}

/** How to open an application, besides its settings. */
export interface ApplicationOptions {
  /**
   * `false` executes no runs, whatever the settings say. Use it to read runs, or to decide on them.
   */
  worker?: boolean;
  /**
   * Creates your own workflows, which are offered in addition to customer feedback. Default: the
   * function that the module in `WORKFLOWS` exports.
   */
  createWorkflows?: CreateWorkflows;
}

/**
 * Opens everything that the settings name. If it executes runs, the unfinished ones of an earlier
 * process continue at once.
 * @param options see `ApplicationOptions`; default for `worker`: `settings.worker`
 * @throws ValidationError for invalid settings; IoError if the data directory is in use (`in_use`),
 *   or a file or database can't be opened
 */
export async function openApplication(
  settings: Settings,
  logger: Logger = createLogger(settings.logLevel),
  { worker = settings.worker, createWorkflows }: ApplicationOptions = {},
): Promise<Application> {
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    // The engine is closed first, because running steps need the rest. If one part can't be closed,
    // the others are closed anyway.
    for (const part of opened.splice(0).toReversed())
      await part.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  checkSharing(settings, logger);
  try {
    // Customers' texts and data are private, even from other users of this machine.
    if (keepsFiles(settings, worker)) makeFolder(settings.dataDirectory);
    const ontologyStore = await openOntologyStore(settings);
    opened.push(ontologyStore);
    const transport = settings.mailUrl ?? `outbox:${outboxFolder(settings)}`;
    const emailIntegration = new EmailIntegration({
      transport: createMailTransport(transport),
      from: settings.mailFrom,
      ...withoutAbsent({ templates: settings.mailTemplates }),
    });
    opened.push(emailIntegration);
    const engine = await openEngine(settings, { worker, logger });
    opened.push(engine);
    const customerDataPipeline = new CustomerDataPipeline({
      customerSource: customerSource(settings),
      ontologyStore,
      logger,
    });
    const trained = await openTrainedWeights(settings);
    if (trained) reportTraining(trained, logger);
    const workflow = new CustomerFeedbackWorkflow({
      engine,
      ontologyStore,
      customerDataPipeline,
      ...(settings.customerSource !== undefined && {
        customerFreshness: {
          maxAgeMs: toMilliseconds(settings.customerMaxAge),
          staleIfErrorMs: toMilliseconds(settings.customerStaleIfError),
        },
      }),
      emailIntegration,
      ...(await openAnalyzers(settings, trained)),
      ticketSystem: createTicketSystem(settings.ticketUrl, {
        ontologyStore,
        ...withoutAbsent({ token: settings.ticketToken }),
      }),
      escalationPolicy: settings.escalation && {
        ...DEFAULT_ESCALATION_POLICY,
        escalateUnreadable: settings.escalateUnreadable,
        escalateDoubtful: settings.escalateDoubtful,
      },
      thankAbove: settings.thankAbove,
      approval: settings.approval,
      mailRules: {
        unknownSender: settings.unknownSender,
        ...withoutAbsent({ authservId: settings.mailAuthservId }),
      },
      mailRetryForMs: toMilliseconds(settings.mailRetryFor),
      responseCap: { responses: settings.responseCap, minutes: settings.responseCapMinutes },
      maxParallelRequests: settings.maxParallelRequests,
      logger,
    });
    const { maxParallelRequests } = settings;
    const parts = { engine, ontologyStore, emailIntegration, maxParallelRequests, logger };
    const others = (await (createWorkflows ?? (await ownWorkflows(settings)))?.(parts)) ?? [];
    const notifications = notificationWorkflow(settings, parts);
    const service = new Service({
      engine,
      workflows: [workflow, ...others, ...notifications],
      pipelines: [customerDataPipeline],
      operations: graphOperations(ontologyStore, settings),
      logger,
    });
    engine.startWorker();
    return { workflow, service, engine, ontologyStore, customerDataPipeline, close };
  } catch (error) {
    await close();
    throw error;
  }
}
