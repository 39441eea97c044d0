/**
 * The HTTP service as configured by the settings: who may call, where it listens, and when it is
 * ready.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { withoutAbsent } from "../json.ts";
import type { Application } from "./application.ts";
import { ValidationError } from "../errors.ts";
import { CATEGORIES } from "../analysis/categories.ts";
import { consolePages } from "../interfaces/console/console-pages.ts";
import type { Chat } from "../interfaces/http/chat.ts";
import { createHttpApi } from "../interfaces/http/http-api.ts";
import { mcpHandler } from "../interfaces/mcp/mcp-handler.ts";
import type { HealthCheck } from "../interfaces/http/health.ts";
import { RateLimit } from "../interfaces/http/rate-limit.ts";
import { startHttpServer } from "../interfaces/http/server.ts";
import { anyOf, TokenFile, Tokens, type Caller, type TokenSource } from "../interfaces/http/tokens.ts";
import { WebhookSignatures } from "../interfaces/http/webhook-signatures.ts";
import { silentLogger, type Logger } from "../log.ts";
import { bareHost, isLoopback, urlHost } from "../loopback.ts";
import { OPERATOR_LIMITS } from "../questions/limits.ts";
import { dataFile } from "./parts.ts";
import { makePrivateFile } from "../files/private-files.ts";
import { IN_MEMORY, type Settings } from "./settings.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { SCOPES } from "../framework/operation.ts";
import { FEEDBACK_STORE } from "../workflows/customer-feedback/feedback-graph.ts";

/** Options that are not settings. */
export interface HttpServiceOptions {
  /** The version of this package, for the OpenAPI document. */
  version: string;
  /**
   * The secret of a token with all scopes, for a service whose settings have no tokens: approving
   * needs one. Otherwise it is ignored. Default: none.
   */
  localToken?: string;
  /**
   * The agent that people talk to in the console, such as the one from `openChat`. It is closed
   * with the service. Default: none.
   */
  chat?: Chat;
  /**
   * Whether the service has sample data, for trying things out. The console then says so, and
   * explains how to begin. Default: false.
   */
  isSample?: boolean;
  logger?: Logger;
}

/** A listening service. */
export interface HttpService {
  readonly url: string;
  /** Whether it can be called without a token. */
  readonly isOpen: boolean;
  /**
   * Accepts no more requests, finishes current ones, and ends streams. The application stays open.
   */
  close(): Promise<void>;
}

/**
 * The caller when no tokens are set: any program on this machine. It can't decide on emails,
 * because a decision is recorded with the name of a token.
 */
const ANYONE: Caller = { name: "anonymous", scopes: new Set(SCOPES.filter((scope) => scope !== "approve")) };

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

const listOf = (text: string | undefined): string[] | undefined => text?.split(/[\s,]+/).filter((part) => part !== "");

/** @throws ValidationError (`invalid_configuration`) for anything but an origin, such as `*` */
function originsOf({ httpCorsOrigins }: Settings): string[] {
  const origins = listOf(httpCorsOrigins) ?? [];
  const wrong = origins.find((origin) => URL.parse(origin)?.origin !== origin);
  if (wrong === undefined) return origins;
  throw new ValidationError(
    "HTTP_CORS_ORIGINS must list origins such as https://app.example.org, with commas between them. There is no wildcard.",
    { code: "invalid_configuration" },
  );
}

/** The host in `name`, `name:port` or `[address]:port`. */
const hostnameOf = (name: string): string => bareHost(name.toLowerCase().replace(/:\d+$/, ""));

/** The host in `PUBLIC_URL`: a proxy on this machine may pass on the name that it was called by. */
const publicHost = ({ publicUrl }: Settings): string[] => (publicUrl === undefined ? [] : [new URL(publicUrl).host]);

/**
 * Starts the service with the given settings.
 * @throws ValidationError (`invalid_configuration`) for invalid tokens, secrets or origins, and if
 *   others can reach the service but there are no tokens
 * @throws IoError (`address_unavailable`) if it can't listen
 */
export async function openHttpService(
  { service, workflow, engine, ontologyStore }: Application,
  settings: Settings,
  { version, localToken, chat, isSample = false, logger = silentLogger }: HttpServiceOptions,
): Promise<HttpService> {
  const { httpHost: host, httpPort: port, httpRateLimit } = settings;
  const tokens = await tokensOf(settings, logger);
  const isLocal = isLoopback(host.toLowerCase());
  if (!tokens && !isLocal) {
    throw new ValidationError(
      `HTTP_HOST is ${host}, where others can reach the service, and there are no tokens: set HTTP_TOKENS or HTTP_TOKENS_FILE, or listen on 127.0.0.1.`,
      { code: "invalid_configuration" },
    );
  }
  const named = listOf(settings.httpAllowedHosts);
  const foreign = [...(named ?? []), ...publicHost(settings)].find((name) => !isLoopback(hostnameOf(name)));
  if (!tokens && foreign !== undefined) {
    throw new ValidationError(
      `HTTP_ALLOWED_HOSTS or PUBLIC_URL names ${foreign}, so others reach the service through a proxy, and there are no tokens: set HTTP_TOKENS or HTTP_TOKENS_FILE.`,
      { code: "invalid_configuration" },
    );
  }
  const secrets = listOf(settings.httpWebhookSecrets) ?? [];
  const allowedHosts = named ?? (isLocal ? [...LOOPBACK, urlHost(host), ...publicHost(settings)] : undefined);
  const others = [...service.workflows.values()].flatMap(({ name, isAuxiliary }) =>
    isAuxiliary || name === workflow.name ? [] : [name],
  );
  const hasFeedback = async (): Promise<boolean> =>
    (await engine.list({ workflow: workflow.name, limit: 1 })).length > 0;
  const closing = new AbortController();
  const consoleUrl = settings.publicUrl ?? (isLocal && port !== 0 ? `http://${urlHost(host)}:${port}` : undefined);
  const mcp = mcpHandler(service, consoleUrl === undefined ? {} : { consoleUrl });
  const metrics = await createMetrics(service);
  const { app } = createHttpApi(service, {
    tokens: tokens ?? (localToken === undefined ? NO_TOKENS : Tokens.of("local", SCOPES, localToken)),
    ...(!tokens && { anonymous: ANYONE }),
    pages: consolePages({
      categories: CATEGORIES,
      workflows: [...service.workflows.keys()],
      others,
      isSample,
      // People start at the feedback. If there is none yet, but there are other workflows, they
      // start at the runs.
      start: async () => (others.length > 0 && !(await hasFeedback()) ? "runs" : ""),
    }),
    version,
    sessionKey: sessionKeyOf(settings),
    ...withoutAbsent({ allowedHosts }),
    corsOrigins: originsOf(settings),
    ...(httpRateLimit > 0 && { rateLimit: new RateLimit(httpRateLimit) }),
    ...(secrets.length > 0 && { signatures: new WebhookSignatures(secrets) }),
    graph: { runner: ontologyStore.queryRunner, store: FEEDBACK_STORE, ...OPERATOR_LIMITS },
    ...withoutAbsent({ url: settings.publicUrl }),
    checks: {
      database: async () => void (await engine.list({ limit: 1 })),
      graph: async () => void (await ontologyStore.listStores()),
      queue: queueCheck(engine),
    },
    ...withoutAbsent({ chat }),
    mounts: [{ path: "/mcp", handle: (request, { scopes }) => mcp(request, { scopes: [...scopes] }) }],
    metrics,
    closing: closing.signal,
    logger,
  });
  const server = await startHttpServer(app.fetch, { host, port, logger }).catch(async (error: unknown) => {
    await mcp.close();
    metrics.close();
    throw error;
  });
  return {
    url: server.url,
    isOpen: !tokens,
    close: async () => {
      closing.abort();
      await mcp.close();
      await server.close();
      await chat?.close();
      metrics.close();
    },
  };
}

/** The key is stored in the data directory, so people stay signed in after a restart. */
function sessionKeyOf(settings: Settings): Uint8Array {
  const path = dataFile(settings, "session.key");
  if (path === IN_MEMORY) return randomBytes(32);
  makePrivateFile(path);
  const kept = readFileSync(path);
  if (kept.length >= 32) return kept;
  const key = randomBytes(32);
  writeFileSync(path, key);
  return key;
}

const NO_TOKENS: TokenSource = { verify: () => Promise.resolve(undefined), find: () => Promise.resolve(undefined) };

/** Undefined if no tokens are set. */
async function tokensOf({ httpTokens, httpTokensFile }: Settings, logger: Logger): Promise<TokenSource | undefined> {
  const sources: TokenSource[] = [];
  if (httpTokens !== undefined) sources.push(Tokens.fromSetting(httpTokens));
  if (httpTokensFile !== undefined) sources.push(await TokenFile.open(httpTokensFile, logger));
  return sources.length === 0 ? undefined : anyOf(sources);
}

/** How long a count of the runs is reused, because counting reads all of them. Milliseconds. */
const COUNTED_FOR_MS = 10_000;
/** If a run has been due for longer, there are no workers, or too few. Milliseconds. */
const LATE_MS = 60_000;

function queueCheck(engine: Pick<Application["engine"], "counts">): HealthCheck {
  let counted: { at: number; oldestDueMs: number } | undefined;
  return async () => {
    if (!counted || performance.now() - counted.at > COUNTED_FOR_MS) {
      const counts = await engine.counts();
      counted = {
        at: performance.now(),
        oldestDueMs: Math.max(0, ...counts.map(({ oldestDueMs = 0 }) => oldestDueMs)),
      };
    }
    const { oldestDueMs } = counted;
    // "late" doesn't make the service unready: it still accepts runs, so requests should come here.
    return { status: oldestDueMs > LATE_MS ? "late" : "ok", oldest_due_seconds: Math.round(oldestDueMs / 1000) };
  };
}
