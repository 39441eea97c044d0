import { MIMEType } from "node:util";
import { ValidationError } from "../../errors.ts";

/** Several times the longest feedback, but small enough to read into memory. Bytes. */
export const MAXIMUM_BODY = 1_000_000;

/** Limits on a body's size and on the time it takes to arrive. */
export interface BodyLimits {
  /** Bytes; default 1,000,000. */
  maximum?: number;
  /** Milliseconds within which the whole body must arrive; default: no limit. */
  timeoutMs?: number | undefined;
}

const refusal = (message: string, code: string, cause?: unknown): ValidationError =>
  new ValidationError(message, { code, cause });

const tooSlow = (): ValidationError =>
  refusal("The body was sent too slowly. Send it again over a better connection.", "request_timeout");

/** The parsed media type of a request; undefined if it is missing, malformed or ambiguous. */
export function mediaType({ headers }: Request): MIMEType | undefined {
  const type = headers.get("content-type") ?? "";
  // Of two charsets, the parser would use the first, but a proxy in front of us might use the last.
  if ((type.match(/;\s*charset\s*=/gi) ?? []).length > 1) return undefined;
  try {
    return new MIMEType(type);
  } catch {
    return undefined;
  }
}

/**
 * Accepts only these media types, in UTF-8. A browser asks a server (CORS) before it sends types
 * such as `application/json` from another site's page. If we accepted others, any page could start
 * runs on a server that trusts everyone who can reach it.
 * @param what the kind of body, for the error
 * @throws ValidationError (`unsupported_media_type`)
 */
export function checkType(request: Request, types: readonly string[], what = "JSON"): void {
  const isUtf8 = /^utf-?8$/i.test(mediaType(request)?.params.get("charset") ?? "utf-8");
  checkMediaType(request, isUtf8 ? types : [], `${what} in UTF-8`, types);
}

/**
 * The same for bodies that declare their own encoding, such as emails. Both checks also refuse
 * compressed bodies.
 * @param named the types to name in the error
 * @throws ValidationError (`unsupported_media_type`)
 */
export function checkMediaType(request: Request, accepted: readonly string[], what: string, named = accepted): void {
  const type = mediaType(request);
  if (!type || !accepted.includes(type.essence)) {
    throw refusal(
      `The body must be ${what}: send it with Content-Type: ${named.join(" or ")}.`,
      "unsupported_media_type",
    );
  }
  if (!/^(?:identity)?$/i.test(request.headers.get("content-encoding")?.trim() ?? "")) {
    throw refusal("The body must not be compressed: send it without Content-Encoding.", "unsupported_media_type");
  }
}

/**
 * Reads the body piece by piece. Memory use stays constant however long the body is.
 * @param waitMs returns how long to wait for the next piece; called before each. Default: forever
 * @throws ValidationError (`request_timeout`, `incomplete_body`)
 */
export async function* bodyChunks(
  request: Request,
  waitMs: () => number | undefined = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  if (!request.body) return;
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), waitMs());
      if (done) return;
      yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  } finally {
    // If the consumer stops early, the server need not buffer the rest.
    await reader.cancel().catch(() => {});
  }
}

async function within<Value>(read: Promise<Value>, ms: number | undefined): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = ms === undefined ? undefined : setTimeout(() => reject(tooSlow()), ms);
  const failed = (cause: unknown): never => {
    throw refusal("The body ended before it was complete. Send it again.", "incomplete_body", cause);
  };
  try {
    return await Promise.race([read.catch(failed), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws ValidationError (`body_too_large`, `request_timeout`, `incomplete_body`) */
export async function readBody(
  request: Request,
  { maximum = MAXIMUM_BODY, timeoutMs }: BodyLimits = {},
): Promise<Buffer> {
  const tooLarge = (): ValidationError => refusal(`The body is larger than ${maximum} bytes.`, "body_too_large");
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (length > maximum) throw tooLarge();
  if (length <= maximum) {
    // Reading a body in one piece costs a fraction of streaming it. Its declared length can be
    // trusted, because Node.js reads no more than that.
    const bytes = Buffer.from(await within(request.arrayBuffer(), timeoutMs));
    if (bytes.byteLength > maximum) throw tooLarge();
    return bytes;
  }
  const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  const left = (): number | undefined => deadline && Math.max(0, deadline - performance.now());
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(request, left)) {
    size += chunk.byteLength;
    if (size > maximum) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws ValidationError (`malformed_json`) */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.byteLength === 0) throw refusal("The body is empty. Send one JSON object.", "malformed_json");
  try {
    return JSON.parse(decodeText(bytes));
  } catch (error) {
    throw refusal("The body is not valid JSON (UTF-8).", "malformed_json", error);
  }
}

/** @throws TypeError if it is not UTF-8 */
export const decodeText = (bytes: Buffer): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

/** @throws ValidationError (`unsupported_media_type`, `malformed_json`), and as `readBody` */
export async function jsonBody(request: Request, limits: BodyLimits = {}): Promise<unknown> {
  checkType(request, ["application/json"]);
  return parseJson(await readBody(request, limits));
}
