import { ValidationError } from "../../errors.ts";
import { withoutAbsent, isObject } from "../../json.ts";
import { checkType, parseJson, readBody } from "./body.ts";
import type { HttpContext, HttpParts, Route } from "./route.ts";
import { json } from "./workflow-router.ts";
import { call } from "./run-routes.ts";
import { isSigned } from "./webhook-signatures.ts";

/** Routes for events from other systems, with a token or signed as Standard Webhooks. */
export function eventRoutes(parts: HttpParts): Route[] {
  const operation = parts.service.operation("receive_event");
  const example = [...parts.service.workflows.values()].find(({ eventExample }) => eventExample)?.eventExample;
  const header = (name: string, description: string) =>
    ({ name, in: "header", description, schema: { type: "string" } }) as const;
  return [
    {
      method: "POST",
      path: "/events",
      id: operation.name,
      tag: "events",
      summary: "Send an event",
      description:
        `${operation.description} Needs a token, or a signature over the exact body as in [Standard ` +
        "Webhooks](https://www.standardwebhooks.com). Each signature is accepted once, within five minutes.",
      access: { signedOr: operation.scope },
      operations: [operation],
      parameters: [
        header("webhook-id", "Id of the message, for signed events."),
        header("webhook-timestamp", "When it was sent, in seconds since 1970, for signed events."),
        header("webhook-signature", "`v1,` followed by the HMAC-SHA256 in base64, for signed events."),
      ],
      body: {
        description: "The event. Standard Webhooks may also include a `timestamp`.",
        types: { "application/json": operation.input },
        required: true,
        ...withoutAbsent({ example }),
      },
      answers: {
        200: { description: "The event is recorded.", types: { "application/json": operation.output } },
        202: {
          description: "The event is durable, and the run that it has started continues in the background.",
          types: { "application/json": operation.output },
        },
      },
      errors: [409],
      handle: (context) => receive(parts, context),
    },
  ];
}

async function receive({ service, signatures, bodyTimeoutMs }: HttpParts, context: HttpContext): Promise<Response> {
  const request = context.req.raw;
  checkType(request, ["application/json"]);
  const bytes = await readBody(request, { timeoutMs: bodyTimeoutMs });
  const undo = isSigned(request) ? acceptSignature(signatures, context, bytes) : () => {};
  try {
    const event = withoutTimestamp(parseJson(bytes));
    const answer = (await call(service.operation("receive_event"), event, context)) as { status: string };
    return json(answer, answer.status === "processing" ? 202 : 200);
  } catch (error) {
    undo();
    throw error;
  }
}

/**
 * Checks the signature, and counts the request. Signed events have a rate limit of their own,
 * toward which requests without a valid signature don't count.
 * @returns a function that takes the acceptance back, so that the sender may send the event again
 */
function acceptSignature(signatures: HttpParts["signatures"], context: HttpContext, bytes: Buffer): () => void {
  const countSigned = context.get("countSigned") ?? (() => {});
  let undo: () => void;
  try {
    if (!signatures) throw notSetUp();
    undo = signatures.accept(context.req.raw, bytes);
  } catch (error) {
    countSigned(false);
    throw error;
  }
  try {
    countSigned(true);
    return undo;
  } catch (error) {
    undo();
    throw error;
  }
}

const notSetUp = (): ValidationError =>
  new ValidationError("Signed events are not set up here: set HTTP_WEBHOOK_SECRETS, or send a token.", {
    code: "signature_invalid",
  });

/**
 * Drops the body's `timestamp`, which Standard Webhooks allow but our events don't have. Only the
 * `webhook-timestamp` header is checked.
 */
function withoutTimestamp(event: unknown): unknown {
  if (!isObject(event)) return event;
  const { timestamp: _, ...rest } = event;
  return rest;
}
