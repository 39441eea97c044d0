import { toAbiError, toWireError, ValidationError } from "../errors.ts";

/** The slice of a Hono app that is used; anything of this shape will do. Handlers take and return what `fetch` knows. */
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

export const json = (body: object, status = 200): Response => Response.json(body, { status });

/** The answer for an error: the wire form, and for bad input the fields at fault. */
export function errorResponse(error: unknown): Response {
  const abiError = toAbiError(error);
  const body = { status: "error", ...toWireError(abiError) };
  const tooLarge = abiError.code === "body_too_large";
  const status = tooLarge ? 413 : abiError.code === "malformed_json" ? 400 : STATUS[abiError.type];
  if (!(abiError instanceof ValidationError)) return json(body, status);
  return json({ ...body, fields: abiError.issues.map(({ path, message }) => ({ field: path, message })) }, status);
}

/** @throws ValidationError (`body_too_large`, `malformed_json`) */
export async function jsonBody(request: Request): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += (chunk as Uint8Array).byteLength;
    if (size > MAXIMUM_BODY) {
      throw new ValidationError(`The body is larger than ${MAXIMUM_BODY} bytes.`, { code: "body_too_large" });
    }
    chunks.push(chunk as Uint8Array);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (error) {
    throw new ValidationError("The body is not valid JSON (UTF-8).", { code: "malformed_json", cause: error });
  }
}
