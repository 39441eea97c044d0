import { invalidUrl, unsupportedSslMode, unsupportedTarget } from "./errors.ts";

/** We could misread values under other settings, so no database, role or URL may change these. */
const FIXED_SETTINGS = {
  client_encoding: "UTF8",
  DateStyle: "ISO, YMD",
  TimeZone: "UTC",
  standard_conforming_strings: "on",
};

/**
 * Our statements rely on these settings, but the URL may override them. Idle sessions must stay
 * open, because one of them listens.
 */
const DEFAULT_SETTINGS = {
  IntervalStyle: "postgres",
  search_path: "pg_catalog", // everything else is named with its schema
  default_transaction_isolation: "read committed",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
};

/** URL parameters that don't become `settings`. */
const CONNECTION_PARAMETERS = [
  "application_name",
  "connect_timeout",
  "options",
  "ssl",
  "sslmode",
  "sslnegotiation",
  "target_session_attrs",
] as const;

const DEFAULT_CONNECT_TIMEOUT_S = 30;

/** libpq's `target_session_attrs`. */
const TARGETS = {
  any: () => true,
  "read-write": ({ isReadOnly }: SessionFacts) => !isReadOnly,
  "read-only": ({ isReadOnly }: SessionFacts) => isReadOnly,
  primary: ({ isStandby }: SessionFacts) => !isStandby,
  standby: ({ isStandby }: SessionFacts) => isStandby,
  // A standby can't execute runs, so it is not preferred.
  "prefer-standby": () => true,
};

/** Where and how to connect, parsed from a database URL. */
export interface Address {
  /** At least one. */
  readonly hosts: readonly { readonly host: string | undefined; readonly port: number | undefined }[];
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly applicationName: string | undefined;
  /**
   * `allow` and `prefer` are the same: TLS if the server offers it. Undefined: the driver reads the
   * environment (PGSSLMODE).
   */
  readonly ssl: undefined | false | "if_offered" | { readonly rejectUnauthorized?: boolean };
  readonly negotiatesTlsDirectly: boolean;
  readonly connectTimeoutS: number;
  /** libpq's `options`. */
  readonly options: string | undefined;
  /** The settings of each session. */
  readonly settings: Readonly<Record<string, string>>;
  /** Names of the settings in the URL, as spelled there. */
  readonly given: readonly string[];
  /** Absent if any server will do. */
  readonly matchesTarget: ((facts: SessionFacts) => boolean) | undefined;
}

/** What a session reports about its server. */
export interface SessionFacts {
  /** The server process of the session. */
  readonly pid: number;
  readonly isReadOnly: boolean;
  readonly isStandby: boolean;
  readonly encoding: string;
  readonly synchronousCommit: string;
}

export const FACTS = `
  SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.current_setting('transaction_read_only') = 'on' AS "isReadOnly",
    pg_catalog.pg_is_in_recovery() AS "isStandby", pg_catalog.current_setting('server_encoding') AS encoding,
    pg_catalog.current_setting('synchronous_commit') AS "synchronousCommit"`;

const URL_PARTS = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/i;

/**
 * @throws ValidationError (`invalid_configuration`), which quotes nothing, because the URL may hold
 *   a password
 */
export function parseUrl(url: string): Address {
  const [, login = "", hosts = "", path = "", query = ""] = URL_PARTS.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  const [user = "", ...password] = login.split(":");
  // Without host and database the driver would guess both.
  if (`${hosts}${path}`.trim() === "") throw invalidUrl();
  const given = [...new Set(parameters.keys())].filter(
    (name) => !CONNECTION_PARAMETERS.some((parameter) => parameter === name),
  );
  const spelled = new Set(given.map((name) => name.toLowerCase()));
  const defaults = Object.entries(DEFAULT_SETTINGS).filter(([name]) => !spelled.has(name.toLowerCase()));
  const settings = {
    ...Object.fromEntries(given.map((name) => [name, parameters.getAll(name).at(-1)!])),
    ...Object.fromEntries(defaults),
  };
  const fixed = new Set(Object.keys(FIXED_SETTINGS).map((name) => name.toLowerCase()));
  for (const name of Object.keys(settings)) if (fixed.has(name.toLowerCase())) delete settings[name];
  try {
    return {
      hosts: hosts.split(",").map(parseHost),
      database: decoded(path),
      user: decoded(user),
      password: decoded(password.join(":")),
      applicationName: parameters.get("application_name") ?? undefined,
      ssl: sslOf(parameters.get("sslmode") ?? parameters.get("ssl")),
      negotiatesTlsDirectly: parameters.get("sslnegotiation") === "direct",
      connectTimeoutS: Number(parameters.get("connect_timeout")) || DEFAULT_CONNECT_TIMEOUT_S,
      options: parameters.get("options") ?? undefined,
      settings: { ...settings, ...FIXED_SETTINGS },
      given,
      matchesTarget: targetOf(parameters.get("target_session_attrs")),
    };
  } catch (error) {
    throw error instanceof TypeError || error instanceof URIError ? invalidUrl() : error;
  }
}

const decoded = (part: string): string | undefined => (part === "" ? undefined : decodeURIComponent(part));

function parseHost(text: string): Address["hosts"][number] {
  const { hostname, port } = new URL(`postgres://${text === "" ? "localhost" : text}`);
  const host = decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1");
  return { host: text === "" ? undefined : host, port: port === "" ? undefined : Number(port) };
}

function sslOf(mode: string | null): Address["ssl"] {
  if (mode === null) return undefined;
  if (mode === "disable" || mode === "false") return false;
  if (mode === "allow" || mode === "prefer") return "if_offered";
  if (mode === "require" || mode === "no-verify") return { rejectUnauthorized: false };
  // `verify-ca` is treated as `verify-full`: the host's name is checked as well.
  if (!["verify-ca", "verify-full", "true", "1", ""].includes(mode)) throw unsupportedSslMode();
  return {};
}

function targetOf(name: string | null): Address["matchesTarget"] {
  if (!name) return undefined;
  if (!Object.hasOwn(TARGETS, name)) throw unsupportedTarget();
  return TARGETS[name as keyof typeof TARGETS];
}

/**
 * The settings for the startup packet. A statement after the start would be too late, because a
 * time-out that is the database's default could end it.
 */
export function startOptions({ options, settings }: Address): string {
  const escaped = (text: string): string => text.replaceAll(/[\\\s]/g, String.raw`\$&`);
  const flags = Object.entries(settings).map(([name, value]) => `-c ${escaped(name)}=${escaped(value)}`);
  return [...(options === undefined ? [] : [options]), ...flags].join(" ");
}
