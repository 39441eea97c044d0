import { appendFileSync, readFileSync } from "node:fs";
import { context, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";

/** The parts of an ended span that tests look at. */
export interface EndedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parent: string | undefined;
  /** The API's number for the kind; INTERNAL is the first. */
  kind: number;
  attributes: Record<string, unknown>;
  /** Trace ids of the linked spans. */
  links: string[];
  isError: boolean;
  startTime: number;
  endTime: number;
}

const milliseconds = ([seconds, nanoseconds]: readonly [number, number]): number => seconds * 1000 + nanoseconds / 1e6;

const toEnded = (span: ReadableSpan): EndedSpan => ({
  name: span.name,
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parent: span.parentSpanContext?.spanId,
  kind: span.kind,
  attributes: { ...span.attributes },
  links: span.links.map((link) => link.context.traceId),
  isError: span.status.code === SpanStatusCode.ERROR,
  startTime: milliseconds(span.startTime),
  endTime: milliseconds(span.endTime),
});

/** Sets up an SDK in this process, as a user's program does. Ended spans are exported at once. */
export function setUpTracing(exporter: SpanExporter): () => void {
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return () => [trace, context, propagation].forEach((api) => api.disable());
}

/** An SDK that keeps ended spans in memory; call `tearDown` to remove it. */
export function traceInMemory(): { spans: () => EndedSpan[]; tearDown: () => void } {
  const exporter = new InMemorySpanExporter();
  const tearDown = setUpTracing(exporter);
  return { spans: () => exporter.getFinishedSpans().map(toEnded), tearDown };
}

/** Writes each span to a file when it ends, so that ended spans survive if the process is killed. */
export const fileExporter = (path: string): SpanExporter => ({
  export: (spans, done) => {
    for (const span of spans) appendFileSync(path, `${JSON.stringify(toEnded(span))}\n`);
    done({ code: 0 });
  },
  shutdown: async () => {},
});

export const spansOf = (path: string): EndedSpan[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as EndedSpan);
