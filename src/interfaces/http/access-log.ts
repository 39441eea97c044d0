import type { MiddlewareHandler } from "hono";
import { withoutAbsent } from "../../json.ts";
import type { Logger } from "../../log.ts";
import type { HttpEnv } from "./route.ts";

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Logs one line for each request. The path is logged as a pattern, without ids, and the caller by
 * the token's name. No texts, addresses, tokens or queries are logged.
 */
export const accessLog =
  (logger: Logger): MiddlewareHandler<HttpEnv> =>
  async (context, next) => {
    const began = performance.now();
    await next();
    const { req, res } = context;
    const [, trace_id] = TRACEPARENT.exec(req.header("traceparent") ?? "") ?? [];
    const caller = context.get("caller")?.name;
    logger.info(
      {
        method: req.method,
        route: context.get("route") ?? "none",
        status: res.status,
        ms: Math.round(performance.now() - began),
        request_id: context.get("requestId"),
        ...withoutAbsent({ trace_id, caller }),
      },
      "request",
    );
  };
