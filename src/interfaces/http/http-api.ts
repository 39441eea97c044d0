/** The service over HTTP, as one `fetch` handler for a server or for mounting in another app. */
import { randomBytes } from "node:crypto";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono, type MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { isAbiError, IoError, ValidationError } from "../../errors.ts";
import { withoutAbsent } from "../../json.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import type { Metrics as CollectedMetrics } from "../../telemetry/metrics.ts";
import { traceRequest } from "../../telemetry/tracing.ts";
import type { Service } from "../../framework/service.ts";
import { accessLog } from "./access-log.ts";
import { readBody } from "./body.ts";
import type { Chat } from "./chat.ts";
import { chatRoutes } from "./chat-routes.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { documentationRoutes } from "./docs-page.ts";
import { eventRoutes } from "./event-routes.ts";
import type { GraphQueries } from "./graph-queries.ts";
import { healthRoutes, type HealthCheck } from "./health.ts";
import { checkHost, checkOrigin } from "./hosts.ts";
import { mailRoutes } from "./mail-routes.ts";
import { metricsRoutes } from "./metrics-route.ts";
import { operationRoutes } from "./operation-routes.ts";
import { problem } from "./problem.ts";
import { callerAt, rateLimitHeaders, type RateLimit } from "./rate-limit.ts";
import { scopesOf, type HttpContext, type HttpEnv, type HttpParts, type Mount, type Route } from "./route.ts";
import { runRoutes } from "./run-routes.ts";
import { sessionCaller, sessionRoutes, type SessionOptions } from "./session.ts";
import { sparqlRoutes } from "./sparql-routes.ts";
import { missingScope, type Caller, type TokenSource } from "./tokens.ts";
import { toolRoutes } from "./tool-routes.ts";
import { isSigned, type WebhookSignatures } from "./webhook-signatures.ts";
import { workflowRoutes } from "./workflow-routes.ts";

/** Options of the HTTP API. */
export interface HttpApiOptions {
  /** The tokens, with their scopes. */
  tokens: TokenSource;
  /**
   * The caller if a request has no token; default: such requests are refused. Only set this for a
   * server that nobody else can reach. Requests through a proxy still need a token.
   */
  anonymous?: Caller;
  /** Version of the package, for the OpenAPI document. */
  version: string;
  /**
   * The URL of the service, for the OpenAPI document; default: `/` on the host that the document is
   * loaded from.
   */
  url?: string;
  /**
   * Secret of at least 32 bytes that signs sessions; default: a random one, so sessions end with
   * this app.
   */
  sessionKey?: Uint8Array;
  /** Answers GET requests for pages; undefined for a path that has none. Default: no pages. */
  pages?: (request: Request) => Promise<Response | undefined>;
  /** Accepted values of `Host`, with or without a port; default: any. */
  allowedHosts?: readonly string[];
  /**
   * Other origins whose pages may call the service, such as `https://app.example.org`; default:
   * none.
   */
  corsOrigins?: readonly string[];
  /** Limits the requests of each caller; default: no limit. */
  rateLimit?: RateLimit;
  /** Verifies signed events; default: none are accepted. */
  signatures?: WebhookSignatures;
  /** How to answer SPARQL queries; default: the graph can't be queried. */
  graph?: GraphQueries;
  /** The agent that people talk to; default: none. The program that creates it must close it. */
  chat?: Chat;
  /** The checks of `/readyz`, by name; default: none. */
  checks?: Readonly<Record<string, HealthCheck>>;
  /**
   * Milliseconds within which a body, or the next piece of a stream, must arrive; default 30,000.
   */
  bodyTimeoutMs?: number;
  /**
   * Other protocols on this server, such as MCP. A token is required; the protocol itself checks
   * what that token allows.
   */
  mounts?: readonly Mount[];
  /** Answers `/metrics`, and counts requests; default: no metrics. */
  metrics?: Metrics;
  /** Aborts when the service should close: waiting requests are answered, and streams end. */
  closing?: AbortSignal;
  logger?: Logger;
}

/** The part of the metrics for Prometheus that the service needs. */
export type Metrics = Pick<CollectedMetrics, "contentType" | "text" | "observeRequest">;

/** An app with a `fetch` handler, and its documented routes. */
export interface HttpApi {
  readonly app: Hono<HttpEnv>;
  readonly routes: readonly Route[];
}

/**
 * The request with its whole body, which must arrive in time: other protocols would wait for it
 * without a limit.
 */
async function withBody(request: Request, timeoutMs: number): Promise<Request> {
  if (request.body === null) return request;
  const { url, method, headers, signal } = request;
  return new Request(url, { method, headers, signal, body: new Uint8Array(await readBody(request, { timeoutMs })) });
}

/** If a browser shows an answer as a page, that page loads nothing and can't be embedded. */
const POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The headers of answers that pages of allowed origins may read. */
const EXPOSED = [
  "Location",
  "Link",
  "Preference-Applied",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "X-Truncated",
  "X-Request-Id",
];

/**
 * Serves everything that a service offers; see docs/http.md.
 * @throws ValidationError (`invalid_configuration`) if two tools have the same name
 * @example serve({ fetch: createHttpApi(service, { tokens, version }).app.fetch })
 */
export function createHttpApi(service: Service, options: HttpApiOptions): HttpApi {
  const { logger = silentLogger, closing = new AbortController().signal, bodyTimeoutMs = 30_000, tokens } = options;
  const sessions = { tokens, bodyTimeoutMs, key: options.sessionKey ?? randomBytes(32) };
  const routes = routesOf({
    service,
    closing,
    graph: options.graph,
    chat: options.chat,
    signatures: options.signatures,
    checks: options.checks ?? {},
    bodyTimeoutMs,
    metrics: options.metrics,
  });
  routes.push(
    ...documentationRoutes(routes, {
      title: "abi-workflows",
      version: options.version,
      ...withoutAbsent({ url: options.url }),
    }),
  );

  const app = new Hono<HttpEnv>();
  app.use(requestId(), observed(options.metrics), accessLog(logger), headers(closing), guards(options));
  const origins = options.corsOrigins ?? [];
  if (origins.length > 0)
    app.use(cors({ origin: [...origins], exposeHeaders: EXPOSED, allowMethods: ["GET", "POST", "DELETE"] }));
  const { pages } = options;
  if (pages) app.get("*", async ({ req }, next) => (await pages(req.raw)) ?? next());
  const authorized = authorization(options, sessions);
  for (const route of routes) {
    app.on(route.method, route.path, named(route), authorized(route), handlerOf(route));
  }
  // These are only for our own pages, so they are not in the OpenAPI document.
  const ofPages = sessionRoutes(sessions);
  for (const route of ofPages) {
    app.on(route.method, route.path, named(route), limitedByAddress(options), handlerOf(route));
  }
  for (const mount of options.mounts ?? []) {
    app.all(mount.path, named(mount), authorized({ access: "known", operations: [] }), async (context) =>
      mount.handle(await withBody(context.req.raw, bodyTimeoutMs), context.get("caller")!),
    );
  }
  app.notFound((context) => otherwise([...routes, ...ofPages], context));
  app.onError((error) => errorAnswer(error, logger));
  return { app, routes };
}

const routesOf = (parts: HttpParts): Route[] => {
  const known = [
    ...workflowRoutes(parts),
    ...runRoutes(parts),
    ...approvalRoutes(parts),
    ...eventRoutes(parts),
    ...toolRoutes(parts),
    ...chatRoutes(parts),
    ...sparqlRoutes(parts),
    ...mailRoutes(parts),
    ...healthRoutes(parts),
    ...metricsRoutes(parts),
  ];
  return [...known, ...operationRoutes(parts, known)];
};

/** Headers of every answer, unless its route sets others. */
function headers(closing: AbortSignal): MiddlewareHandler<HttpEnv> {
  const secure = secureHeaders({
    xFrameOptions: "DENY",
    // Pages of allowed origins may read answers.
    crossOriginResourcePolicy: false,
    // Only the proxy in front of us knows whether its domain is TLS-only.
    strictTransportSecurity: false,
    // These only matter to obsolete browsers.
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  return async (context, next) => {
    await secure(context, next);
    const { headers } = context.res;
    headers.set("x-request-id", context.get("requestId"));
    for (const [name, value] of Object.entries(context.get("allowance") ?? {})) headers.set(name, value);
    if (!headers.has("content-security-policy")) headers.set("content-security-policy", POLICY);
    if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
    // A client that keeps its connection open would prevent the service from closing.
    if (closing.aborted) headers.set("connection", "close");
  };
}

function guards({ allowedHosts, corsOrigins = [] }: HttpApiOptions): MiddlewareHandler<HttpEnv> {
  return async ({ req }, next) => {
    // Orchestrators call these by address, and the answers contain nothing worth protecting.
    const isProbe = req.path === "/livez" || req.path === "/readyz";
    if (!isProbe && allowedHosts) checkHost(req.raw, allowedHosts);
    checkOrigin(req.raw, corsOrigins);
    await next();
  };
}

/** Traces and counts each request. */
function observed(metrics: Metrics | undefined): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const began = performance.now();
    const { status, route } = await traceRequest(context.req.raw, async () => {
      await next();
      return { status: context.res.status, route: context.get("route") };
    });
    const seconds = (performance.now() - began) / 1000;
    metrics?.observeRequest({ method: context.req.method, route, status, seconds });
  };
}

const named =
  ({ path }: Pick<Route, "path">): MiddlewareHandler<HttpEnv> =>
  (context, next) => {
    context.set("route", path);
    return next();
  };

/**
 * The status if the client has gone. Nobody receives it, but it is logged, as in nginx.
 */
const CLIENT_GONE = 499;

const handlerOf =
  (route: Route) =>
  async (context: HttpContext): Promise<Response> => {
    try {
      return await route.handle(context);
    } catch (error) {
      if (context.req.raw.signal.aborted) return new Response(null, { status: CLIENT_GONE });
      throw error;
    }
  };

const CHALLENGE = 'Bearer realm="abi-workflows"';

/** Checks who is calling, and how often. */
function authorization({ tokens, anonymous, rateLimit }: HttpApiOptions, sessions: SessionOptions) {
  const anyone = anonymous && { ...anonymous, isAnonymous: true };
  const bearer = bearerAuth({
    realm: "abi-workflows",
    verifyToken: async (secret, context: HttpContext) => {
      const caller = await tokens.verify(secret);
      if (caller) context.set("caller", caller);
      return caller !== undefined;
    },
  });
  return (route: Pick<Route, "access" | "operations">): MiddlewareHandler<HttpEnv> => {
    const { access } = route;
    if (access === "public") return (_context, next) => next();
    const [scope] = access === "known" ? [] : scopesOf(route);
    return async (context, next) => {
      const isBySignature =
        typeof access !== "string" && isSigned(context.req.raw) && !context.req.header("authorization");
      let refused: unknown;
      const person = context.req.header("authorization") ? undefined : await sessionCaller(context, sessions);
      if (person) context.set("caller", person);
      else if (anyone && !context.req.header("authorization") && !isForwarded(context)) context.set("caller", anyone);
      else if (!isBySignature)
        refused = await bearer(context, async () => {}).then(
          () => undefined,
          (error: unknown) => error,
        );
      const caller = context.get("caller");
      // A signed event is counted later, when it is known whether its signature is valid.
      const countRequest = (key: string): void => rateLimit && count(rateLimit, context, key);
      if (isBySignature)
        context.set("countSigned", (isValid) => countRequest(isValid ? "signed events" : addressKey(context)));
      else countRequest(caller ? `token ${caller.name}` : addressKey(context));
      if (refused !== undefined) throw refused;
      if (!isBySignature && scope !== undefined && !caller?.scopes.has(scope)) throw missingScope(scope, caller);
      await next();
    };
  };
}

/** Limits requests to the session routes by address: signing in could be used to guess a token. */
const limitedByAddress =
  ({ rateLimit }: HttpApiOptions): MiddlewareHandler<HttpEnv> =>
  (context, next) => {
    if (rateLimit) count(rateLimit, context, addressKey(context));
    return next();
  };

/**
 * Whether a request came through a proxy. It may then come from anywhere, even if the proxy is on
 * this machine.
 */
const isForwarded = ({ req }: HttpContext): boolean =>
  ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"].some((name) => req.raw.headers.has(name));

function count(rateLimit: RateLimit, context: HttpContext, key: string): void {
  const allowance = rateLimit.take(key);
  context.set("allowance", rateLimitHeaders(rateLimit.limit, allowance));
  if (allowance.isAllowed) return;
  throw new IoError(
    `Too many requests: at most ${rateLimit.limit} a minute. Try again in ${allowance.resetSeconds} s.`,
    {
      code: "rate_limited",
      retryAfterMs: allowance.resetSeconds * 1000,
    },
  );
}

const addressKey = (context: HttpContext): string => callerAt(addressOf(context));

/**
 * Without a Node.js server, all callers without a token count as one, because their addresses are
 * unknown.
 */
function addressOf(context: HttpContext): string {
  try {
    return getConnInfo(context).remote.address ?? "unknown";
  } catch {
    return "unknown";
  }
}

/** Answers requests that match no route: OPTIONS, another method, or an unknown path. */
function otherwise(routes: readonly Route[], { req }: HttpContext): Response {
  const methods = routes.filter(({ path }) => isPath(path, req.path)).map(({ method }) => method);
  if (methods.length === 0) {
    const message = "There is nothing at this path. See /docs for the routes.";
    return problem(new ValidationError(message, { code: "not_found" }));
  }
  const allow = [
    ...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method))),
    "OPTIONS",
  ].join(", ");
  if (req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  const message = `This path takes ${allow} requests only.`;
  return problem(new ValidationError(message, { code: "method_not_allowed" }), { headers: { allow } });
}

function isPath(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => part === given[at] || (part.startsWith(":") && given[at] !== ""))
  );
}

const TOKEN_ERRORS: ReadonlyMap<number, readonly [code: string, message: string]> = new Map([
  // For a token of another kind, `bearerAuth` would answer 400; we treat it like a missing one:
  // 401.
  [400, ["token_missing", "This needs a token of another kind: send it as Authorization: Bearer <token>."]],
  [401, ["token_invalid", "This token is not known."]],
]);

function errorAnswer(error: unknown, logger: Logger): Response {
  if (error instanceof HTTPException) {
    const given = error.getResponse().headers.get("www-authenticate");
    const challenge = error.status === 400 ? CHALLENGE : (given ?? CHALLENGE);
    const isMissing = error.status === 401 && !challenge.includes("error=");
    const [code, message] = isMissing
      ? (["token_missing", "This needs a token: send it as Authorization: Bearer <token>."] as const)
      : (TOKEN_ERRORS.get(error.status) ?? (["bad_request", error.message] as const));
    return problem(new ValidationError(message, { code }), { headers: { "www-authenticate": challenge } });
  }
  if (!isAbiError(error)) logger.error({ cause: describeCause(error) }, "a request failed unexpectedly");
  const isTokenMissing = isAbiError(error) && error.code === "token_missing";
  return problem(error, isTokenMissing ? { headers: { "www-authenticate": CHALLENGE } } : {});
}
