import { MIMEType } from "node:util";
import { toAbiError, toWireError, ValidationError } from "../../errors.ts";

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

/** Larger than any valid submission, so small that it costs nothing to refuse. Bytes. */
const MAXIMUM_BODY = 1_000_000;

const STATUS = { validation_error: 422, conflict: 409, io_error: 503, unexpected_error: 500 } as const;

/** Errors about the request itself, before what it says. */
const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ["malformed_json", 400],
  ["method_not_allowed", 405],
  ["body_too_large", 413],
  ["unsupported_media_type", 415],
]);

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

/** The answer for an error: the wire form, and for bad input the fields at fault. */
export function errorResponse(error: unknown, headers: Record<string, string> = {}): Response {
  const abiError = toAbiError(error);
  const body = { status: "error", ...toWireError(abiError) };
  const status = STATUS_OF_CODE.get(abiError.code) ?? STATUS[abiError.type];
  if (!(abiError instanceof ValidationError)) return json(body, status, headers);
  const fields = abiError.issues.map(({ path, message }) => ({ field: path, message }));
  return json({ ...body, fields }, status, headers);
}

/** Whether a media type is JSON in UTF-8; parameters other than the charset make no difference. */
function isJson(type: string): boolean {
  try {
    const { essence, params } = new MIMEType(type);
    // Of two charsets the parser would take the first, and another reader the last.
    const isOneCharset = (type.match(/;\s*charset\s*=/gi) ?? []).length < 2;
    return essence === "application/json" && isOneCharset && /^utf-?8$/i.test(params.get("charset") ?? "utf-8");
  } catch {
    return false;
  }
}

/**
 * Only what a browser sends to another site's server after it has asked that server (CORS): a page must not be able to start runs on
 * a server that trusts whoever reaches it.
 * @throws ValidationError (`unsupported_media_type`)
 */
function checkIsJson({ headers }: Request): void {
  if (!isJson(headers.get("content-type") ?? "")) {
    throw new ValidationError("The body must be JSON in UTF-8: send it with Content-Type: application/json.", {
      code: "unsupported_media_type",
    });
  }
  if (!/^(?:identity)?$/i.test(headers.get("content-encoding")?.trim() ?? "")) {
    throw new ValidationError("The body must not be compressed: send it without Content-Encoding.", {
      code: "unsupported_media_type",
    });
  }
}

/** @throws ValidationError (`unsupported_media_type`, `body_too_large`, `malformed_json`) */
export async function jsonBody(request: Request): Promise<unknown> {
  checkIsJson(request);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += (chunk as Uint8Array).byteLength;
    if (size > MAXIMUM_BODY) {
      throw new ValidationError(`The body is larger than ${MAXIMUM_BODY} bytes.`, { code: "body_too_large" });
    }
    chunks.push(chunk as Uint8Array);
  }
  if (size === 0) throw new ValidationError("The body is empty. Send one JSON object.", { code: "malformed_json" });
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (error) {
    throw new ValidationError("The body is not valid JSON (UTF-8).", { code: "malformed_json", cause: error });
  }
}
