import { toAbiError, toWireError, ValidationError } from "../../errors.ts";
import { statusOf } from "./status.ts";

/**
 * The slice of a Hono app that is used; anything of this shape will do. Handlers take and return what `fetch` knows. Of several that
 * fit a request the one that was added first answers, the method `ALL` fits every method, and HEAD is answered as GET without a body.
 */
export interface WorkflowRouter {
  on(method: string, path: string, handler: (context: RouteContext) => Promise<Response>): unknown;
}

/** What a handler is given: the request, and the parameters of its path, decoded. */
export interface RouteContext {
  req: { raw: Request; param(name: string): string | undefined };
}

export const json = (body: object, status = 200, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });

type Handler = (context: RouteContext) => Promise<Response>;

/** Adds what answers one method of a path; every other method gets 405, and OPTIONS says which there are. */
export function addRoute(router: WorkflowRouter, method: "GET" | "POST", path: string, handler: Handler): void {
  router.on(method, path, handler);
  const allow = method === "GET" ? "GET, HEAD, OPTIONS" : `${method}, OPTIONS`;
  router.on("ALL", path, async ({ req }) => {
    if (req.raw.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    const message = `${path} takes ${method} requests only.`;
    return errorResponse(new ValidationError(message, { code: "method_not_allowed" }), { allow });
  });
}

/** The fields at fault as they go over the wire. */
export const fieldsOf = ({ issues }: ValidationError): { field: string; message: string }[] =>
  issues.map(({ path, message }) => ({ field: path, message }));

/** The answer for an error: the wire form, and for bad input the fields at fault. */
export function errorResponse(error: unknown, headers: Record<string, string> = {}): Response {
  const abiError = toAbiError(error);
  const body = { status: "error", ...toWireError(abiError) };
  const fields = abiError instanceof ValidationError ? { fields: fieldsOf(abiError) } : {};
  return json({ ...body, ...fields }, statusOf(abiError), headers);
}
