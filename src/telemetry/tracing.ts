/**
 * Makes spans if an OpenTelemetry SDK is set up in this process; otherwise does nothing. Uses only
 * the API, which is not loaded before an SDK has registered a tracer provider. No attribute
 * contains customers' texts, names, addresses or ids.
 */
import type * as OpenTelemetry from "@opentelemetry/api";
import type { Attributes, Context, Span } from "@opentelemetry/api";
import { withoutAbsent, isObject, type Json } from "../json.ts";
import { requirePackage } from "../runtime/require-package.ts";

type Api = typeof OpenTelemetry;

/** A span as stored with a run or sent to another server: W3C Trace Context, without baggage. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

export interface SpanOptions {
  /** Default: `internal`. */
  kind?: "internal" | "server" | "client" | "producer" | "consumer";
  attributes?: Attributes;
  /** Default: the span that is active. */
  parent?: TraceContext | undefined;
  links?: readonly TraceContext[];
}

/** Where all copies of the API's major version 1 register what an SDK provides. */
const REGISTRATIONS = Symbol.for("opentelemetry.js.api.1");
const INSTRUMENTATION = "abi-workflows";
const PACKAGE = "@opentelemetry/api";
/**
 * The SDK's own key: in a context that has it, other instrumentations make no spans and send no
 * headers.
 */
const SUPPRESSED = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

let loaded: Api | "missing" | undefined;

/** The API, if an SDK is set up in this process now. */
function api(): Api | undefined {
  const registrations = (globalThis as { [REGISTRATIONS]?: { trace?: unknown } })[REGISTRATIONS];
  if (registrations?.trace === undefined) return undefined;
  loaded ??= loadApi();
  return loaded === "missing" ? undefined : loaded;
}

function loadApi(): Api | "missing" {
  try {
    return requirePackage(PACKAGE) as Api;
  } catch {
    process.emitWarning(
      `An OpenTelemetry SDK is set up, but abi-workflows can't load ${PACKAGE} and makes no spans. Run: npm install ${PACKAGE}`,
      { code: "ABI_OPENTELEMETRY_API" },
    );
    return "missing";
  }
}

/** Whether spans are made in this process. */
export const isTracing = (): boolean => api() !== undefined;

/**
 * Runs `work` in an active span; without an SDK, just runs it. If it throws, the span has the
 * status `ERROR` and, as `error.type`, the error's code, or `internal` if it has none. Messages are
 * left out: they may name a customer.
 */
export async function inSpan<Result>(
  name: string,
  options: SpanOptions,
  work: (span?: Span) => Promise<Result> | Result,
): Promise<Result> {
  const otel = api();
  if (!otel) return work();
  const { span, context } = startSpan(otel, name, options);
  try {
    return await otel.context.with(context, () => work(span));
  } catch (error) {
    markFailed(otel, span, errorTypeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/**
 * Like `inSpan`, for a generator: the span is active while the generator works, not while its
 * consumer does. If the result has an `error_code`, the span has the status `ERROR`, too.
 */
export async function* generateInSpan<Item, Result extends object>(
  name: string,
  options: SpanOptions,
  items: AsyncGenerator<Item, Result>,
): AsyncGenerator<Item, Result> {
  const otel = api();
  if (!otel) return yield* items;
  const { span, context } = startSpan(otel, name, options);
  try {
    for (;;) {
      const next = await otel.context.with(context, () => items.next());
      if (next.done === true) {
        const { error_code: code } = next.value as { error_code?: unknown };
        if (typeof code === "string") markFailed(otel, span, code);
        return next.value;
      }
      yield next.value;
    }
  } catch (error) {
    markFailed(otel, span, errorTypeOf(error));
    throw error;
  } finally {
    await items.return(undefined as never);
    span.end();
  }
}

/** Makes a span for something that is already over. */
export function recordSpan(
  name: string,
  { errorType, ...options }: SpanOptions & { errorType?: string | undefined },
  { startTime, endTime }: { startTime: Date; endTime: Date },
): void {
  const otel = api();
  if (!otel) return;
  const { span } = startSpan(otel, name, options, startTime);
  if (errorType !== undefined) markFailed(otel, span, errorType);
  span.end(endTime);
}

/** Runs `work` in the given trace, as if it were called from there. */
export function inTrace<Result>(trace: TraceContext | undefined, work: () => Result): Result {
  const otel = api();
  return otel && trace ? otel.context.with(contextOf(otel, trace), work) : work();
}

/** The active span, in the form that can be stored; undefined if there is none. */
export function activeTrace(): TraceContext | undefined {
  const otel = api();
  const span = otel?.trace.getActiveSpan()?.spanContext();
  if (!otel || !span || !otel.isSpanContextValid(span)) return undefined;
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, "0");
  const tracestate = span.traceState?.serialize();
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    ...(tracestate !== undefined && tracestate !== "" && { tracestate }),
  };
}

/**
 * Links the active span with another trace, such as that of a run that an earlier request started.
 */
export function linkActiveSpan(trace: TraceContext | undefined): void {
  const otel = api();
  if (otel && trace) otel.trace.getActiveSpan()?.addLink({ context: spanContextOf(otel, trace) });
}

/**
 * Makes one attempt at a request to another server, in a span of kind CLIENT. The SDK's propagator
 * adds its headers (`traceparent`). Instrumentations of `fetch` are suppressed, because their spans
 * would contain URLs with customers' ids.
 */
export function inClientSpan(
  { method, url, headers, attempt }: { method: string; url: URL; headers: Headers; attempt: number },
  send: () => Promise<Response>,
): Promise<Response> {
  const otel = api();
  if (!otel) return send();
  const attributes = {
    "http.request.method": method,
    "server.address": url.hostname,
    "server.port": Number(url.port || (url.protocol === "https:" ? 443 : 80)),
    ...(attempt > 1 && { "http.request.resend_count": attempt - 1 }),
  };
  return inSpan(method, { kind: "client", attributes }, async (span) => {
    otel.propagation.inject(otel.context.active(), headers, { set: (to, key, value) => to.set(key, value) });
    const response = await otel.context.with(otel.context.active().setValue(SUPPRESSED, true), send);
    span?.setAttribute("http.response.status_code", response.status);
    if (span && response.status >= 400) markFailed(otel, span, String(response.status));
    return response;
  });
}

/** How a request was answered. */
export interface AnsweredRequest {
  status: number;
  /** The pattern that matched, such as `/runs/:id`; absent if none did. */
  route?: string | undefined;
}

/**
 * Handles an HTTP request in a span of kind SERVER, in the caller's trace if the SDK's propagator
 * finds one in the headers. If a span is already active, such as that of an instrumentation, that
 * span gets the route, and no other is made. The path is not an attribute, because it contains ids.
 *
 * @example app.use(async (c, next) => {
 *   await traceRequest(c.req.raw, async () => {
 *     await next();
 *     return { status: c.res.status, route: routePath(c, -1) };
 *   });
 * });
 */
export async function traceRequest<Answer extends AnsweredRequest>(
  request: { method: string; headers: Headers },
  handle: () => Promise<Answer>,
): Promise<Answer> {
  const otel = api();
  if (!otel) return handle();
  const method = knownMethod(request.method);
  const name = method === "_OTHER" ? "HTTP" : method;
  const instrumented = otel.trace.getActiveSpan();
  if (instrumented) return namedByRoute(instrumented, name, await handle());
  const extracted = otel.propagation.extract(otel.context.active(), request.headers, {
    get: (headers, key) => headers.get(key) ?? undefined,
    keys: (headers) => [...headers.keys()],
  });
  return otel.context.with(extracted, () =>
    inSpan(name, { kind: "server", attributes: { "http.request.method": method } }, async (span) => {
      const answer = await handle();
      span!.setAttribute("http.response.status_code", answer.status);
      if (answer.status >= 500) markFailed(otel, span!, String(answer.status));
      return namedByRoute(span!, name, answer);
    }),
  );
}

function namedByRoute<Answer extends AnsweredRequest>(span: Span, name: string, answer: Answer): Answer {
  if (answer.route !== undefined) span.updateName(`${name} ${answer.route}`).setAttribute("http.route", answer.route);
  return answer;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);

/** The method, or `_OTHER` if HTTP doesn't define it: callers may send any word. */
export const knownMethod = (method: string): string => (METHODS.has(method) ? method : "_OTHER");

const KINDS = {
  internal: "INTERNAL",
  server: "SERVER",
  client: "CLIENT",
  producer: "PRODUCER",
  consumer: "CONSUMER",
} as const;

function startSpan(
  otel: Api,
  name: string,
  { kind = "internal", attributes = {}, parent, links = [] }: SpanOptions,
  startTime?: Date,
): { span: Span; context: Context } {
  const within = parent ? contextOf(otel, parent) : otel.context.active();
  const options = {
    kind: otel.SpanKind[KINDS[kind]],
    attributes,
    links: links.map((link) => ({ context: spanContextOf(otel, link) })),
    ...withoutAbsent({ startTime }),
  };
  const span = otel.trace.getTracer(INSTRUMENTATION).startSpan(name, options, within);
  return { span, context: otel.trace.setSpan(within, span) };
}

function markFailed(otel: Api, span: Span, errorType: string): void {
  span.setAttribute("error.type", errorType).setStatus({ code: otel.SpanStatusCode.ERROR });
}

function errorTypeOf(error: unknown): string {
  const code = isObject(error) ? error["code"] : undefined;
  return typeof code === "string" ? code : "internal";
}

const contextOf = (otel: Api, trace: TraceContext): Context =>
  otel.trace.setSpanContext(otel.ROOT_CONTEXT, spanContextOf(otel, trace));

function spanContextOf(otel: Api, { traceparent, tracestate }: TraceContext) {
  const [, traceId = "", spanId = "", flags = "0"] = traceparent.split("-");
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: otel.createTraceState(tracestate) }),
  };
}

/**
 * The field for the trace in a run's input, beside the parameters. `Workflow.register` refuses a
 * parameter of this name.
 */
export const TRACE_FIELD = "_trace";
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Adds the active span to a run's input, so that the run continues that trace whenever and wherever
 * it is executed.
 */
export function withActiveTrace<Input extends Record<string, Json>>(input: Input): Input {
  const trace = activeTrace();
  return trace ? { ...input, [TRACE_FIELD]: { ...trace } } : input;
}

/** The trace that is stored with a run's input. */
export function traceOfInput(input: Json): TraceContext | undefined {
  const kept = isObject(input) ? input[TRACE_FIELD] : undefined;
  if (!isObject(kept)) return undefined;
  const { traceparent, tracestate } = kept;
  if (typeof traceparent !== "string" || !TRACEPARENT.test(traceparent)) return undefined;
  return { traceparent, ...(typeof tracestate === "string" && { tracestate }) };
}

/** The input of a run as it was submitted. */
export function withoutTrace(input: Json): Json {
  if (!isObject(input) || !(TRACE_FIELD in input)) return input;
  const { [TRACE_FIELD]: _, ...submitted } = input;
  return submitted;
}
