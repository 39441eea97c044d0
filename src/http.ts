/**
 * The HTTP service, for programs that start it themselves or mount it in their own server.
 * @module abi-workflows/http
 */
import "./runtime/node-version.ts";

export { createHttpApi, type HttpApi, type HttpApiOptions } from "./interfaces/http/http-api.ts";
export type { Chat, ChatEvent, ChatRequest, Conversation } from "./interfaces/http/chat.ts";
export type { GraphQueries } from "./interfaces/http/graph-queries.ts";
export type { HealthCheck } from "./interfaces/http/health.ts";
export { RateLimit } from "./interfaces/http/rate-limit.ts";
export type { HttpEnv, Route } from "./interfaces/http/route.ts";
export { startHttpServer, type HttpServer, type HttpServerOptions } from "./interfaces/http/server.ts";
export { TokenFile, Tokens, type Caller, type TokenSource } from "./interfaces/http/tokens.ts";
export { WebhookSignatures } from "./interfaces/http/webhook-signatures.ts";
export { openHttpService, type HttpService, type HttpServiceOptions } from "./application/http-service.ts";
