/**
 * Everything that can be set, in one schema. The environment and the options of `createCustomerFeedbackTools` have the same
 * settings under two names: `MAIL_URL` and `mailUrl`. Nothing else in the package reads `process.env`.
 */
import { z } from "zod";
import { DURATION } from "./duration.ts";
import { type FieldIssue, ValidationError } from "./errors.ts";
import { isUrlLike } from "./secrets.ts";

const wholeNumber = (minimum: number): z.ZodType<number, number | string> =>
  z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\s*\d+\s*$/)
          .transform(Number),
      ],
      { error: "must be a whole number" },
    )
    .pipe(z.int("must be a whole number").min(minimum, `must be at least ${minimum}`));

const duration = z.string().regex(DURATION, "must be a duration such as 30s, 15m, 1h or 2d, or 0");

const url = (...schemes: string[]): z.ZodString =>
  z.string().regex(new RegExp(`^(?:${schemes.join("|")})://`, "i"), `must be a URL with ${schemes.join(":// or ")}://`);

/** A secret that goes into an HTTP header. Files and dashboards like to add a line end. */
const token = z
  .string()
  .trim()
  .min(1, "must not be blank")
  .regex(/^[\u0020-\u007E]+$/, "must have no line break, accent or invisible character in it: copy it again")
  .optional();

const hasCredentials = (address: string): boolean => {
  const { username = "", password = "" } = URL.parse(address) ?? {};
  return username !== "" || password !== "";
};

const folder = z
  .string()
  .min(1)
  .refine((path) => !isUrlLike(path), "must be a folder, not a URL");

const oneOf = <const Name extends string>(...names: Name[]) =>
  z.enum(names, { error: `must be ${new Intl.ListFormat("en", { type: "disjunction" }).format(names)}` });

const ON_OFF: ReadonlyMap<string, boolean> = new Map([
  ["on", true],
  ["true", true],
  ["1", true],
  ["off", false],
  ["false", false],
  ["0", false],
]);

const onOff = z.preprocess(
  (value) => (typeof value === "string" ? ON_OFF.get(value.toLowerCase()) : value),
  z.boolean({ error: "must be on or off" }),
);

/** As a data directory: nothing is kept. */
export const IN_MEMORY = ":memory:";

/** In the folder in which the process was started; it may be missing until something is kept. */
export const DEFAULT_DATA_DIRECTORY = ".abi-workflows";

const DEFINITIONS = {
  dataDirectory: {
    env: "ABI_DATA_DIRECTORY",
    schema: folder.default(DEFAULT_DATA_DIRECTORY),
    about: "Folder of the knowledge graph, the runs, the conversations and the outbox. `:memory:` keeps nothing.",
  },
  databaseUrl: {
    env: "DATABASE_URL",
    schema: url("postgres", "postgresql").optional(),
    about: "A PostgreSQL database for the runs, to be shared by many processes. Default: a file in the data directory.",
  },
  worker: {
    env: "WORKER",
    schema: onOff.default(true),
    about:
      "`off`: this process starts runs and waits for them, `abi-workflows worker` executes them elsewhere. Needs DATABASE_URL and ONTOLOGY_URL.",
  },
  ontologyUrl: {
    env: "ONTOLOGY_URL",
    schema: url("http", "https").optional(),
    about:
      "SPARQL 1.1 endpoint for the knowledge graph, user:password@ included where it needs them. Default: a file in the data directory.",
  },
  ontologyUpdateUrl: {
    env: "ONTOLOGY_UPDATE_URL",
    schema: url("http", "https").optional(),
    about: "Where that endpoint takes updates. Default: ONTOLOGY_URL.",
  },
  ontologyGraphStoreUrl: {
    env: "ONTOLOGY_GRAPH_STORE_URL",
    schema: url("http", "https").optional(),
    about: "Where that endpoint speaks the SPARQL 1.1 Graph Store protocol, for large inserts. Default: not used.",
  },
  ontologyToken: {
    env: "ONTOLOGY_TOKEN",
    schema: token,
    about: "Bearer token for that endpoint, in place of user and password.",
  },
  ontologyAuthentication: {
    env: "ONTOLOGY_AUTHENTICATION",
    schema: oneOf("basic", "digest").optional(),
    about: "How user and password are given to that endpoint: `basic` (the default) or `digest`.",
  },
  customerSource: {
    env: "CUSTOMER_SOURCE",
    schema: z
      .string()
      .min(1)
      .refine(
        (location) => !/^https?:/i.test(location) || location.includes("{id}"),
        "must have {id} in it where it is an HTTP URL",
      )
      .optional(),
    about: "Where customers come from: a .json, .jsonl or .csv file, or an HTTP URL with {id} in it.",
  },
  customerSourceToken: {
    env: "CUSTOMER_SOURCE_TOKEN",
    schema: token,
    about: "Bearer token for an HTTP customer source.",
  },
  customerMaxAge: {
    env: "CUSTOMER_MAX_AGE",
    schema: duration.default("1h"),
    about:
      "How old a customer's data may be when a mail is about to leave; older data is looked up again in CUSTOMER_SOURCE first. `0`: always.",
  },
  customerStaleIfError: {
    env: "CUSTOMER_STALE_IF_ERROR",
    schema: duration.default("1d"),
    about:
      "How old it may be where CUSTOMER_SOURCE does not answer. Beyond that the mail waits until the source answers.",
  },
  mailUrl: {
    env: "MAIL_URL",
    schema: z.string().min(1).optional(),
    about:
      "smtp://, smtps://, or `outbox:<folder>` for .eml files. Default: the folder `outbox` in the data directory.",
  },
  mailFrom: {
    env: "MAIL_FROM",
    schema: z.string().min(3).default("Customer Care <care@example.org>"),
    about: "Sender of mails, an address or `Name <address>`.",
  },
  mailTemplates: {
    env: "MAIL_TEMPLATES",
    schema: folder.optional(),
    about: "Folder of mail templates. Default: those of this package.",
  },
  ticketUrl: {
    env: "TICKET_URL",
    schema: url("http", "https").optional(),
    about: "Where tickets are posted as JSON. Default: tickets are kept in the knowledge graph.",
  },
  ticketToken: { env: "TICKET_TOKEN", schema: token, about: "Bearer token for the ticket URL." },
  analyzer: {
    env: "ANALYZER",
    schema: oneOf("embedded", "chat-model").default("embedded"),
    about:
      "Who tells sentiment and categories: `embedded` works offline and reads English, `chat-model` sends every text to the " +
      "service of OPENAI_API_KEY or OPENAI_BASE_URL.",
  },
  escalation: {
    env: "ESCALATION",
    schema: onOff.default(true),
    about: "`off`: nothing is escalated, and all feedback is answered or not as `send_response` says.",
  },
  escalateUnreadable: {
    env: "ESCALATE_UNREADABLE",
    schema: onOff.default(false),
    about: "`on`: feedback in a language that the analyser does not read is escalated.",
  },
  approval: {
    env: "APPROVAL",
    schema: onOff.default(false),
    about: "`on`: every mail waits until a person agrees to it (`abi-workflows approvals`).",
  },
  responseCap: {
    env: "RESPONSE_CAP",
    schema: wholeNumber(0).default(10),
    about: "Automatic mails that one customer may get within RESPONSE_CAP_MINUTES.",
  },
  responseCapMinutes: { env: "RESPONSE_CAP_MINUTES", schema: wholeNumber(1).default(180), about: "See RESPONSE_CAP." },
  maxParallelRequests: {
    env: "MAX_PARALLEL_REQUESTS",
    schema: wholeNumber(1).default(5),
    about: "Pieces of feedback at work at the same time, in all processes that share the database.",
  },
  retryAttempts: {
    env: "RETRY_ATTEMPTS",
    schema: wholeNumber(1).default(6),
    about: "How often a step is tried where an error may pass, the first time included.",
  },
  retryDelayMs: {
    env: "RETRY_DELAY_MS",
    schema: wholeNumber(1).default(500),
    about: "Milliseconds before the second attempt; doubles from there, up to a minute.",
  },
  mailRetryFor: {
    env: "MAIL_RETRY_FOR",
    schema: duration.default("1d"),
    about:
      "How long a mail is retried while the mail server is unreachable, busy or greylists us. The run fails only after that.",
  },
  logLevel: {
    env: "LOG_LEVEL",
    schema: oneOf("silent", "fatal", "error", "warn", "info", "debug", "trace").default("warn"),
    about: "What is logged, as JSON lines on standard error.",
  },
  openaiApiKey: {
    env: "OPENAI_API_KEY",
    schema: token,
    about: "Key of the chat model's service.",
  },
  openaiBaseUrl: {
    env: "OPENAI_BASE_URL",
    schema: url("http", "https")
      .refine((address) => !hasCredentials(address), "must not have a user or password in it: use OPENAI_API_KEY")
      .optional(),
    about: "Any OpenAI-compatible endpoint, such as http://localhost:11434/v1.",
  },
  openaiModel: { env: "OPENAI_MODEL", schema: z.string().min(1).optional(), about: "Name of the chat model." },
} as const;

type Definitions = typeof DEFINITIONS;
type Shape = { [Name in keyof Definitions]: Definitions[Name]["schema"] };

/** What these say is about the endpoint that `ontologyUrl` names. */
const OF_THE_ENDPOINT = [
  "ontologyUpdateUrl",
  "ontologyGraphStoreUrl",
  "ontologyToken",
  "ontologyAuthentication",
] as const;

const Schema = z
  .strictObject(Object.fromEntries(Object.entries(DEFINITIONS).map(([name, { schema }]) => [name, schema])) as Shape)
  .superRefine((settings, context) => {
    if (settings.ontologyUrl !== undefined) return;
    for (const name of OF_THE_ENDPOINT) {
      if (settings[name] !== undefined)
        context.addIssue({ code: "custom", path: [name], message: "is of no use without ONTOLOGY_URL (ontologyUrl)" });
    }
  });

/** All settings with their defaults filled in. */
export type Settings = z.output<typeof Schema>;

/** What a caller may give; everything is optional. */
export type SettingsOptions = z.input<typeof Schema>;

/** Name, environment variable and meaning of every setting, for help and documentation. */
export const SETTINGS: readonly { name: string; env: string; about: string }[] = Object.entries(DEFINITIONS).map(
  ([name, { env, about }]) => ({ name, env, about }),
);

const given = (value: unknown): boolean => value !== undefined && value !== "";

/**
 * The settings: what `options` say, else the environment, else the defaults.
 * @throws ValidationError (`invalid_configuration`) that names the variable or option and what it should look like
 */
export function readSettings(
  options: SettingsOptions = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const fromEnvironment = Object.entries(DEFINITIONS).map(([name, { env }]) => [name, environment[env]] as const);
  const merged = Object.fromEntries(
    [...fromEnvironment, ...Object.entries(options)].filter(([, value]) => given(value)),
  ) as SettingsOptions;
  const result = Schema.safeParse(merged);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue): FieldIssue => {
    const name = String(issue.path[0] ?? "");
    const definition = DEFINITIONS[name as keyof Definitions] as { env: string; about: string } | undefined;
    return {
      path: name,
      message: definition ? `${definition.env} (${name}) ${issue.message}. ${definition.about}` : issue.message,
    };
  });
  throw new ValidationError(`The configuration is not usable: ${issues.map(({ message }) => message).join(" ")}`, {
    code: "invalid_configuration",
    issues,
  });
}
