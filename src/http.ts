/**
 * The HTTP service, for programs that start it themselves or mount it in their own server.
 * @module abi-workflows/http
 */
import "./runtime/node-version.ts";

export { createHttpApi, type HttpApi, type HttpApiOptions } from "./faces/http/http-api.ts";
export type { Chat, ChatEvent, ChatRequest, Conversation } from "./faces/http/chat.ts";
export type { GraphQueries } from "./faces/http/graph-queries.ts";
export type { HealthCheck } from "./faces/http/health.ts";
export { RateLimit } from "./faces/http/rate-limit.ts";
export type { HttpEnv, Route } from "./faces/http/route.ts";
export { startHttpServer, type HttpServer, type HttpServerOptions } from "./faces/http/server.ts";
export { TokenFile, Tokens, type Caller, type TokenSource } from "./faces/http/tokens.ts";
export { WebhookSignatures } from "./faces/http/webhook-signatures.ts";
export { openHttpService, type HttpService, type HttpServiceOptions } from "./application/http-service.ts";
