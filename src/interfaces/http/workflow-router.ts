import { toAbiError, toWireError, ValidationError } from "../../errors.ts";
import { statusOf } from "./status.ts";

/**
 * The part of a Hono app that is used; any object of this shape will do. Requests and responses are
 * those of `fetch`. If several routes match a request, the first one added must answer. The method
 * `ALL` matches every method, and HEAD is answered like GET, without a body.
 */
export interface WorkflowRouter {
  on(method: string, path: string, handler: (context: RouteContext) => Promise<Response>): unknown;
}

/** What a handler receives: the request, and the decoded parameters of its path. */
export interface RouteContext {
  req: { raw: Request; param(name: string): string | undefined };
}

export const json = (body: object, status = 200, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });

type Handler = (context: RouteContext) => Promise<Response>;

/**
 * Adds a handler for one method of a path. OPTIONS lists the allowed methods, and every other
 * method gets 405.
 */
export function addRoute(router: WorkflowRouter, method: "GET" | "POST", path: string, handler: Handler): void {
  router.on(method, path, handler);
  const allow = method === "GET" ? "GET, HEAD, OPTIONS" : `${method}, OPTIONS`;
  router.on("ALL", path, async ({ req }) => {
    if (req.raw.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    const message = `${path} takes ${method} requests only.`;
    return errorResponse(new ValidationError(message, { code: "method_not_allowed" }), { allow });
  });
}

/** The invalid fields of an error in wire form. */
export const fieldsOf = ({ issues }: ValidationError): { field: string; message: string }[] =>
  issues.map(({ path, message }) => ({ field: path, message }));

/**
 * The answer of `as_api` for an error: its wire form, with the invalid fields for invalid input.
 */
export function errorResponse(error: unknown, headers: Record<string, string> = {}): Response {
  const abiError = toAbiError(error);
  const body = { status: "error", ...toWireError(abiError) };
  const fields = abiError instanceof ValidationError ? { fields: fieldsOf(abiError) } : {};
  return json({ ...body, ...fields }, statusOf(abiError), headers);
}
