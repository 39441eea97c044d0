/**
 * The description of a route, from which the router, the access checks and the OpenAPI document are
 * derived.
 */
import type { Context } from "hono";
import type { z } from "zod";
import type { Json } from "../../json.ts";
import type { Operation, Scope, StreamOperation } from "../../framework/operation.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Service } from "../../framework/service.ts";
import type { Chat } from "./chat.ts";
import type { GraphQueries } from "./graph-queries.ts";
import type { HealthCheck } from "./health.ts";
import type { Caller } from "./tokens.ts";
import type { WebhookSignatures } from "./webhook-signatures.ts";

/** What a handler's context contains. */
export interface HttpEnv {
  Variables: {
    requestId: string;
    /**
     * Absent on public routes. May also be absent if the request has a signature instead of a
     * token.
     */
    caller?: Caller;
    /**
     * Only if the request has a signature instead of a token. The route calls it when it knows
     * whether the signature is valid. It counts the request, and throws if the limit is reached.
     */
    countSigned?: (isValid: boolean) => void;
    /** Pattern of the route's path, for logs, traces and metrics. */
    route?: string;
    /** Headers with the caller's remaining requests. */
    allowance?: Readonly<Record<string, string>>;
  };
}

export type HttpContext = Context<HttpEnv>;

/** Everything that routes are built from. */
export interface HttpParts {
  readonly service: Service;
  readonly graph: GraphQueries | undefined;
  readonly chat: Chat | undefined;
  readonly signatures: WebhookSignatures | undefined;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Milliseconds within which a body, or the next piece of a stream, must arrive. */
  readonly bodyTimeoutMs: number;
  readonly metrics: Pick<Metrics, "contentType" | "text"> | undefined;
  /** Aborts when the service closes: waiting requests are answered, and streams end. */
  readonly closing: AbortSignal;
}

/**
 * Who may call a route.
 * - `public`: anyone
 * - `known`: anyone with a token; the route checks its scopes itself
 * - a scope: anyone whose token has it
 * - `signedOr`: anyone whose token has this scope, or who has signed the request
 */
export type Access = "public" | "known" | Scope | { readonly signedOr: Scope };

/** Another protocol, at one path: it answers every method, and checks scopes itself. */
export interface Mount {
  readonly path: string;
  handle(request: Request, caller: Caller): Promise<Response>;
}

/** A named part of a request: of the path or of the query, or a header. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  readonly required?: boolean;
  readonly schema: object;
  readonly example?: Json;
  readonly style?: "deepObject" | undefined;
}

/** The body of a request or an answer. */
export interface Content {
  readonly description: string;
  /** By media type. */
  readonly types: Readonly<Record<string, z.ZodType | object>>;
  readonly headers?: readonly string[];
  /** An example: JSON, or a text for other media types. */
  readonly example?: Json;
}

/** A route: one way to call an operation over HTTP, or a page. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** With parameters as `:name`. */
  readonly path: string;
  /** Unique; the `operationId` in the document. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  /** The operations that it calls; none for pages, health checks and the like. */
  readonly operations: readonly (Operation | StreamOperation)[];
  readonly parameters?: readonly Parameter[];
  /** `streamed`: it is answered while it arrives, so its faults are in the answer, not in the status. */
  readonly body?: Content & { readonly required?: boolean; readonly streamed?: boolean };
  /** By status code. The document also lists errors that any route may answer with. */
  readonly answers: Readonly<Record<number, Content>>;
  /** Status codes of further errors. */
  readonly errors?: readonly number[];
  handle(context: HttpContext): Promise<Response> | Response;
}

/** The scopes of which a caller needs one; none if any token will do, or if no token is needed. */
export function scopesOf({ access, operations }: Pick<Route, "access" | "operations">): Scope[] {
  if (access === "public") return [];
  if (access === "known") return [...new Set(operations.map(({ scope }) => scope))];
  return [typeof access === "string" ? access : access.signedOr];
}

/** The path with its parameters as OpenAPI writes them: `{name}`. */
export const pathTemplate = ({ path }: Pick<Route, "path">): string => path.replaceAll(/:(\w+)/g, "{$1}");
