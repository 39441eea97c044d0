/**
 * Everything that can be set, in one table. Each setting has two names: one for the environment
 * (`MAIL_URL`), and one for the options of `readSettings` and `createCustomerFeedbackTools`
 * (`mailUrl`). Nothing else in `src` reads `process.env`.
 */
import { type FieldIssue, ValidationError } from "../errors.ts";
import { MAIL_URL_KINDS } from "../integrations/email/mail-urls.ts";
import { DEFAULT_RETRY_POLICY, MAIL_RETRY_FOR } from "../retry-policies.ts";
import { DEFAULT_MAX_PARALLEL_REQUESTS } from "../framework/configuration.ts";
import { DEFAULT_RESPONSE_CAP } from "../workflows/customer-feedback/configuration.ts";
import { DEFAULT_THANK_ABOVE } from "../workflows/customer-feedback/policy.ts";
import {
  customerLocation,
  duration,
  folder,
  type Kind,
  oneOf,
  someOf,
  onOff,
  share,
  port,
  text,
  token,
  InvalidSetting,
  url,
  urlWithoutCredentials,
  wholeNumber,
} from "./setting-kinds.ts";

/** With this as the data directory, only emails are stored on disk: see `outboxFolder`. */
export const IN_MEMORY = ":memory:";

/**
 * Relative to the working directory of the process. It is created when an application is opened.
 */
export const DEFAULT_DATA_DIRECTORY = ".abi-workflows";

interface Definition {
  env: string;
  kind: Kind<unknown>;
  default?: unknown;
  about: string;
}

const DEFINITIONS = {
  dataDirectory: {
    env: "ABI_DATA_DIRECTORY",
    kind: folder,
    default: DEFAULT_DATA_DIRECTORY,
    about:
      "Folder for the knowledge graph, the runs, the conversations and the outbox. `:memory:` keeps all of this in " +
      "memory, except the outbox, which is then a temporary folder.",
  },
  databaseUrl: {
    env: "DATABASE_URL",
    kind: url("postgres", "postgresql", "restate+http", "restate+https"),
    about:
      "Where the runs are stored if several processes share them: a PostgreSQL database, or a Restate server as " +
      "restate+http://host:8080. Default: a file in the data directory.",
  },
  restateAdminUrl: {
    env: "RESTATE_ADMIN_URL",
    kind: url("http", "https"),
    about: "Admin API of the Restate server. Default: port 9070 on the host of DATABASE_URL.",
  },
  restateWorkerUrl: {
    env: "RESTATE_WORKER_URL",
    kind: url("http", "https"),
    about:
      "URL at which the Restate server reaches the workers: that of this process, or of a load balancer in front of " +
      "all of them. Default: the address on which this process listens.",
  },
  restateToken: {
    env: "RESTATE_TOKEN",
    kind: token,
    about:
      "Bearer token for the ingress and the admin API of the Restate server, if a proxy or Restate Cloud asks for one.",
  },
  restateListen: {
    env: "RESTATE_LISTEN",
    kind: text(),
    about:
      "Address and port at which a worker listens for the Restate server. Default: 127.0.0.1:9080. Any address that " +
      "is not a loopback address needs RESTATE_IDENTITY_KEY.",
  },
  restateIdentityKey: {
    env: "RESTATE_IDENTITY_KEY",
    kind: token,
    about:
      "Public key of the Restate server (`publickeyv1_…`). With it, a worker only answers requests that this server " +
      "has signed.",
  },
  worker: {
    env: "WORKER",
    kind: onOff,
    default: true,
    about:
      "`off`: this process only starts runs and waits for them; `abi-workflows worker` executes them elsewhere. " +
      "This needs DATABASE_URL and ONTOLOGY_URL. With a Restate server, commands other than `serve` and `worker` " +
      "never execute runs.",
  },
  ontologyUrl: {
    env: "ONTOLOGY_URL",
    kind: url("http", "https"),
    about:
      "SPARQL 1.1 endpoint for the knowledge graph, with user:password@ if it needs them. Default: a file in the " +
      "data directory.",
  },
  ontologyUpdateUrl: {
    env: "ONTOLOGY_UPDATE_URL",
    kind: url("http", "https"),
    about: "URL of the SPARQL endpoint for updates. Default: ONTOLOGY_URL.",
  },
  ontologyGraphStoreUrl: {
    env: "ONTOLOGY_GRAPH_STORE_URL",
    kind: url("http", "https"),
    about: "URL of the SPARQL endpoint for the SPARQL 1.1 Graph Store protocol, for large inserts. Default: not used.",
  },
  ontologyToken: {
    env: "ONTOLOGY_TOKEN",
    kind: token,
    about: "Bearer token for the SPARQL endpoint, instead of user and password.",
  },
  ontologyAuthentication: {
    env: "ONTOLOGY_AUTHENTICATION",
    kind: oneOf("basic", "digest"),
    about: "How user and password are sent to the SPARQL endpoint: `basic` (the default) or `digest`.",
  },
  customerSource: {
    env: "CUSTOMER_SOURCE",
    kind: customerLocation,
    about: "Where customers come from: a file (.csv, .tsv, .json, .jsonl or .ndjson), or an HTTP URL with {id} in it.",
  },
  customerSourceToken: {
    env: "CUSTOMER_SOURCE_TOKEN",
    kind: token,
    about: "Bearer token for an HTTP customer source.",
  },
  customerEmailUrl: {
    env: "CUSTOMER_EMAIL_URL",
    kind: url("http", "https"),
    about:
      "URL with {email} in it, at which an HTTP customer source finds customers by their address. For " +
      "UNKNOWN_SENDER=ask-source.",
  },
  customerMaxAge: {
    env: "CUSTOMER_MAX_AGE",
    kind: duration,
    default: "1h",
    about:
      "How old a customer's data may be when an email is about to leave. Older data is first read again from " +
      "CUSTOMER_SOURCE. `0`: always.",
  },
  customerStaleIfError: {
    env: "CUSTOMER_STALE_IF_ERROR",
    kind: duration,
    default: "1d",
    about:
      "How old a customer's data may be if CUSTOMER_SOURCE doesn't answer. If it is older, the email waits for the " +
      "source, as long as MAIL_RETRY_FOR allows.",
  },
  mailUrl: {
    env: "MAIL_URL",
    kind: text(),
    about: `${MAIL_URL_KINDS}. Default: the folder \`outbox\` in the data directory.`,
  },
  mailFrom: {
    env: "MAIL_FROM",
    kind: text(3),
    default: "Customer Care <care@example.org>",
    about: "Sender of emails, an address or `Name <address>`.",
  },
  mailTemplates: {
    env: "MAIL_TEMPLATES",
    kind: folder,
    about: "Folder with mail templates. Default: those of this package.",
  },
  imapUrl: {
    env: "IMAP_URL",
    kind: url("imap", "imaps"),
    about: "Mailbox whose emails `serve` and `worker` process: imaps://user:password@host/INBOX.",
  },
  imapDoneFolder: {
    env: "IMAP_DONE_FOLDER",
    kind: text(),
    about:
      "Folder to which emails are moved when they are done. Default: they stay where they are, with the keyword " +
      "`abi-taken`.",
  },
  unknownSender: {
    env: "UNKNOWN_SENDER",
    kind: oneOf("person", "ask-source", "create", "ignore"),
    default: "person",
    about:
      "What to do with email from an address that no customer has: `person` (hold it), `ask-source` (look for the " +
      "address in CUSTOMER_SOURCE; hold it if it isn't there), `create` (make the sender a customer) or `ignore`.",
  },
  mailAuthservId: {
    env: "MAIL_AUTHSERV_ID",
    kind: text(),
    about:
      "Your mail server's name in Authentication-Results. Mail whose sender it doesn't confirm is held. Default: " +
      "senders are trusted.",
  },
  ticketUrl: {
    env: "TICKET_URL",
    kind: url("http", "https"),
    about: "URL to which tickets are posted as JSON. Default: tickets are stored in the knowledge graph.",
  },
  ticketToken: { env: "TICKET_TOKEN", kind: token, about: "Bearer token for the ticket URL." },
  analyzer: {
    env: "ANALYZER",
    kind: oneOf("embedded", "chat-model"),
    default: "embedded",
    about:
      "What detects sentiment and categories: `embedded` works offline and reads English; `chat-model` sends " +
      "every text to the service set with OPENAI_API_KEY or OPENAI_BASE_URL.",
  },
  escalation: {
    env: "ESCALATION",
    kind: onOff,
    default: true,
    about: "`off`: nothing is escalated; all feedback is handled like feedback that no rule escalates.",
  },
  escalateUnreadable: {
    env: "ESCALATE_UNREADABLE",
    kind: onOff,
    default: false,
    about: "`on`: feedback in a language that the analyser can't read is escalated.",
  },
  thankAbove: {
    env: "THANK_ABOVE",
    kind: share,
    default: DEFAULT_THANK_ABOVE,
    about:
      "How sure of praise the analyser must be for an answer with thanks, 0 to 1. Less certain praise is answered " +
      "like neutral feedback.",
  },
  escalateDoubtful: {
    env: "ESCALATE_DOUBTFUL",
    kind: onOff,
    default: false,
    about: "`on`: praise that is not certain enough for thanks is escalated.",
  },
  approval: {
    env: "APPROVAL",
    kind: onOff,
    default: false,
    about: "`on`: every email to a customer waits until a person approves it (`abi-workflows approvals`).",
  },
  responseCap: {
    env: "RESPONSE_CAP",
    kind: wholeNumber(0),
    default: DEFAULT_RESPONSE_CAP.responses,
    about: "How many automatic emails one customer may get within RESPONSE_CAP_MINUTES.",
  },
  responseCapMinutes: {
    env: "RESPONSE_CAP_MINUTES",
    kind: wholeNumber(1),
    default: DEFAULT_RESPONSE_CAP.minutes,
    about: "See RESPONSE_CAP.",
  },
  maxParallelRequests: {
    env: "MAX_PARALLEL_REQUESTS",
    kind: wholeNumber(1),
    default: DEFAULT_MAX_PARALLEL_REQUESTS,
    about: "How many pieces of feedback are processed at the same time. See MAX_PARALLEL_REQUESTS_PER.",
  },
  maxParallelRequestsPer: {
    env: "MAX_PARALLEL_REQUESTS_PER",
    kind: oneOf("database", "process"),
    default: "database",
    about:
      "What MAX_PARALLEL_REQUESTS limits. `database`: the runs of each workflow, in all processes that share the " +
      "database together. `process`: the runs of all workflows in one process together; if their limits differ, the " +
      "highest applies. `process` is faster if many processes share a database, because they needn't agree on whose " +
      "turn it is.",
  },
  retryAttempts: {
    env: "RETRY_ATTEMPTS",
    kind: wholeNumber(1),
    default: DEFAULT_RETRY_POLICY.attempts,
    about: "How many times a step is tried if its error is temporary, including the first.",
  },
  retryDelayMs: {
    env: "RETRY_DELAY_MS",
    kind: wholeNumber(1),
    default: DEFAULT_RETRY_POLICY.initialDelayMs,
    about:
      "Longest delay before the second attempt, in milliseconds. It doubles with each attempt, up to a minute. The " +
      "delay is random, but at least half of this.",
  },
  mailRetryFor: {
    env: "MAIL_RETRY_FOR",
    kind: duration,
    default: MAIL_RETRY_FOR,
    about:
      "How long an email is retried while the mail server is unreachable or busy, or greylists us. After that, the " +
      "run fails.",
  },
  notifyUrl: {
    env: "NOTIFY_URL",
    kind: url("http", "https"),
    about:
      "URL to which notifications are posted (Standard Webhooks): when an email waits for a person, or a run has " +
      "failed. See NOTIFY_ON.",
  },
  notifySecret: {
    env: "NOTIFY_SECRET",
    kind: token,
    about: "Secret that signs what is posted to NOTIFY_URL: `whsec_` followed by 24 to 64 random bytes in base64.",
  },
  notifyMail: {
    env: "NOTIFY_MAIL",
    kind: text(3),
    about: "Address that gets notifications as emails: at most 20 of each type (see NOTIFY_ON) in each clock hour.",
  },
  notifyOn: {
    env: "NOTIFY_ON",
    kind: someOf("approval.waiting", "run.failed", "run.completed"),
    default: "approval.waiting,run.failed",
    about: "Which notifications to send: approval.waiting, run.failed, run.completed, separated by commas.",
  },
  publicUrl: {
    env: "PUBLIC_URL",
    kind: url("http", "https"),
    about:
      "Address at which people reach the service, for links in notifications and in MCP, such as " +
      "https://abi.example.org.",
  },
  graphTools: {
    env: "GRAPH_TOOLS",
    kind: oneOf("off", "questions", "query"),
    default: "off",
    about:
      "What agents may ask the knowledge graph over MCP and HTTP, about all customers: prepared `questions`, or " +
      "`query` for their own SPARQL too. Answers contain nothing personal.",
  },
  workflows: {
    env: "WORKFLOWS",
    kind: text(),
    about: "Module with your own workflows. It exports `createWorkflows(parts)`, which returns them.",
  },
  httpHost: {
    env: "HTTP_HOST",
    kind: text(),
    default: "127.0.0.1",
    about: "Address that `serve` listens on. Any address that is not a loopback address (127.0.0.1, ::1) needs tokens.",
  },
  httpPort: {
    env: "HTTP_PORT",
    kind: port,
    default: 8008,
    about: "Port that `serve` listens on. `0`: any free port.",
  },
  httpTokens: {
    env: "HTTP_TOKENS",
    kind: text(),
    about:
      "Who may call `serve`: tokens as `name:scope+scope:secret`, separated by commas. Scopes: feedback:read, " +
      "feedback:write, approve, admin.",
  },
  httpTokensFile: {
    env: "HTTP_TOKENS_FILE",
    kind: text(),
    about:
      "File with tokens, in addition to those in HTTP_TOKENS; for its format, see docs/http.md. It is read again " +
      "when it changes.",
  },
  httpWebhookSecrets: {
    env: "HTTP_WEBHOOK_SECRETS",
    kind: text(),
    about: "Secrets (`whsec_…`) of systems that send signed events (Standard Webhooks), separated by commas.",
  },
  httpAllowedHosts: {
    env: "HTTP_ALLOWED_HOSTS",
    kind: text(),
    about:
      "Host names to which `serve` answers, separated by commas; others are refused. Default: any. If HTTP_HOST is " +
      "a loopback address: only localhost, 127.0.0.1, ::1 and the host of PUBLIC_URL.",
  },
  httpCorsOrigins: {
    env: "HTTP_CORS_ORIGINS",
    kind: text(),
    about: "Sites whose pages may call `serve`, such as `https://app.example.org`, separated by commas.",
  },
  httpRateLimit: {
    env: "HTTP_RATE_LIMIT",
    kind: wholeNumber(0),
    default: 3000,
    about: "How many requests a minute each caller may send to `serve`, in each process. `0`: no limit.",
  },
  metricsPort: {
    env: "METRICS_PORT",
    kind: port,
    about: "Port at which `abi-workflows worker` serves `/metrics` (Prometheus) and `/livez`. Default: not served.",
  },
  metricsHost: {
    env: "METRICS_HOST",
    kind: text(),
    default: "127.0.0.1",
    about:
      "Address that METRICS_PORT is on. The default can only be reached from this machine; `0.0.0.0` also from others.",
  },
  logLevel: {
    env: "LOG_LEVEL",
    kind: oneOf("silent", "fatal", "error", "warn", "info", "debug", "trace"),
    default: "warn",
    about: "Lowest level that is logged. The log is JSON lines on standard error.",
  },
  openaiApiKey: {
    env: "OPENAI_API_KEY",
    kind: token,
    about: "Key of the chat model's service.",
  },
  openaiBaseUrl: {
    env: "OPENAI_BASE_URL",
    kind: urlWithoutCredentials,
    about: "Any OpenAI-compatible endpoint, such as http://localhost:11434/v1. Default: OpenAI's own.",
  },
  openaiModel: { env: "OPENAI_MODEL", kind: text(), about: "Name of the chat model. Default: gpt-5.4-mini." },
} as const satisfies Record<string, Definition>;

type Definitions = typeof DEFINITIONS;
type SettingName = keyof Definitions;
type KindOf<Name extends SettingName> = Definitions[Name]["kind"];
type Value<Name extends SettingName> = ReturnType<KindOf<Name>>;
type Given<Name extends SettingName> = KindOf<Name> extends Kind<unknown, infer Given> ? Given : never;
type WithDefault = {
  [Name in SettingName]: Definitions[Name] extends { default: unknown } ? Name : never;
}[SettingName];

/** All settings with their defaults filled in. */
export type Settings = { [Name in WithDefault]: Value<Name> } & {
  [Name in Exclude<SettingName, WithDefault>]?: Value<Name> | undefined;
};

/** The options of `readSettings`; all are optional. */
export type SettingsOptions = { [Name in SettingName]?: Given<Name> | undefined };

/** Settings that only make sense with `ontologyUrl`. */
const ENDPOINT_SETTINGS = [
  "ontologyUpdateUrl",
  "ontologyGraphStoreUrl",
  "ontologyToken",
  "ontologyAuthentication",
] as const;

/** Settings that only make sense with `escalation`. */
const ESCALATION_SETTINGS = ["escalateUnreadable", "escalateDoubtful"] as const;

const ALL = Object.entries<Definition>(DEFINITIONS);

/** Name, environment variable and meaning of every setting, for help and documentation. */
export const SETTINGS: readonly { name: string; env: string; about: string }[] = ALL.map(([name, { env, about }]) => ({
  name,
  env,
  about,
}));

const isGiven = (value: unknown): boolean => value !== undefined && value !== "";

/**
 * Reads the settings: from `options` first, then from the environment, then from the defaults.
 * @throws ValidationError (`invalid_configuration`) that names the variable or option and what it
 *   should look like
 */
export function readSettings(
  options: SettingsOptions = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const { settings, issues } = readAll(options, environment);
  if (issues.length === 0) return settings as Settings;
  throw new ValidationError(`The configuration is not usable: ${issues.map(({ message }) => message).join(" ")}`, {
    code: "invalid_configuration",
    issues,
  });
}

function readAll(
  options: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, unknown>>,
): { settings: Record<string, unknown>; issues: FieldIssue[] } {
  const settings: Record<string, unknown> = {};
  const issues: FieldIssue[] = [];
  const addFault = (name: SettingName, problem: string): void => {
    const { env, about } = DEFINITIONS[name];
    issues.push({ path: name, message: `${env} (${name}) ${problem}. ${about}` });
  };
  for (const [name, { env, kind, default: standard }] of ALL) {
    const value = [options[name], environment[env], standard].find(isGiven);
    if (value === undefined) continue;
    try {
      settings[name] = kind(value);
    } catch (error) {
      if (!(error instanceof InvalidSetting)) throw error;
      addFault(name as SettingName, error.message);
    }
  }
  const unknown = Object.keys(options).filter((name) => isGiven(options[name]) && !Object.hasOwn(DEFINITIONS, name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name)).join(", ");
    issues.push({ path: "", message: `Unknown option${unknown.length === 1 ? "" : "s"}: ${names}.` });
  }
  if (issues.length === 0 && settings["ontologyUrl"] === undefined) {
    const idle = ENDPOINT_SETTINGS.filter((name) => settings[name] !== undefined);
    for (const name of idle) addFault(name, "has no effect without ONTOLOGY_URL (ontologyUrl)");
  }
  if (issues.length === 0 && settings["escalation"] === false) {
    const idle = ESCALATION_SETTINGS.filter((name) => settings[name] === true);
    for (const name of idle) addFault(name, "has no effect with ESCALATION=off (escalation)");
  }
  return { settings, issues };
}

/** Whether the settings name the service of a chat model. */
export const namesModel = ({
  openaiApiKey,
  openaiBaseUrl,
}: Pick<Settings, "openaiApiKey" | "openaiBaseUrl">): boolean =>
  openaiApiKey !== undefined || openaiBaseUrl !== undefined;
