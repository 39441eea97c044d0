import { withoutAbsent, isObject } from "../../json.ts";
import { ConflictError, fromWireError, ValidationError, type AbiError } from "../../errors.ts";
import { tidyIdentifier } from "../../tidy-identifier.ts";
import { RunResultSchema } from "../../framework/run-schemas.ts";
import { toJsonSchema } from "./schemas.ts";
import type { RunResult } from "../../framework/result.ts";
import { identityFields, identityOf } from "../../framework/submission.ts";
import type { Accepted, Workflow } from "../../framework/workflow.ts";
import { batchRoute } from "./batch-route.ts";
import { jsonBody } from "./body.ts";
import { EXAMPLE_ID, type ExampleInput } from "./examples.ts";
import { problem } from "./problem.ts";
import type { HttpContext, HttpParts, Route } from "./route.ts";
import { json } from "./workflow-router.ts";

/** How long a request may wait for a result, in seconds. */
const MAX_WAIT_S = 60;

/** The routes of every workflow: submit, look up by key, submit many. */
export const workflowRoutes = (parts: HttpParts): Route[] =>
  [...parts.service.workflows.values()].flatMap((workflow) => [
    submitRoute(workflow, parts),
    viewRoute(workflow),
    batchRoute(workflow, parts),
  ]);

const exampleOf = ({ process }: Workflow): ExampleInput => process.example?.input ?? {};

const WORKFLOW_ID_OF_RUN = "Id of the run, for /runs/{workflow_id}.";

function acceptedSchema({ process }: Workflow): object {
  const { properties = {} } = toJsonSchema(process.input);
  return {
    type: "object",
    properties: {
      status: { type: "string", enum: ["processing"] },
      ...Object.fromEntries(identityFields(process).map((field) => [field, { type: properties[field]?.type }])),
      // Whatever its schema is, the key is stored as text.
      [process.key]: { type: "string" },
      workflow_id: { type: "string", description: WORKFLOW_ID_OF_RUN },
    },
    required: ["status", process.key, "workflow_id"],
  };
}

function submitRoute(workflow: Workflow, { bodyTimeoutMs, closing }: HttpParts): Route {
  const { name, process } = workflow;
  const example = exampleOf(workflow);
  return {
    method: "POST",
    path: `/workflows/${name}`,
    id: `submit-${name}`,
    tag: "workflows",
    summary: "Submit",
    description:
      `${process.description}\n\nThe answer comes as soon as the run is durable; the run continues in the ` +
      `background. The same \`${process.key}\` with the same content is one run, however often you submit it. ` +
      "With different content, it is a conflict.",
    access: process.scope,
    operations: [process],
    parameters: [
      {
        name: "Prefer",
        in: "header",
        description: `\`wait=20\` waits up to 20 seconds for the result; the maximum is ${MAX_WAIT_S} (RFC 7240).`,
        schema: { type: "string" },
      },
      {
        name: "Idempotency-Key",
        in: "header",
        description: `Becomes the \`${process.key}\` if the body has none.`,
        schema: { type: "string" },
      },
    ],
    body: {
      description: "The input of the run.",
      types: { "application/json": process.input },
      example,
      required: true,
    },
    answers: {
      200: {
        description: "With `Prefer: wait`, the run has ended, and this is its result.",
        types: { "application/json": RunResultSchema },
        headers: ["Location", "Preference-Applied"],
      },
      202: {
        description: "The run is durable and continues in the background.",
        types: { "application/json": acceptedSchema(workflow) },
        headers: ["Location", "Preference-Applied"],
        ...(process.example && {
          example: { status: "processing", ...identityOf(process, example), workflow_id: EXAMPLE_ID },
        }),
      },
    },
    errors: [409],
    handle: async (context) => {
      const { req } = context;
      const seconds = waitOf(req.header("prefer"));
      const body = await jsonBody(req.raw, { timeoutMs: bodyTimeoutMs });
      const accepted = await submit(workflow, body, keyOf(req.header("idempotency-key")));
      const headers = { location: `/runs/${encodeURIComponent(accepted.id)}` };
      const waited =
        seconds === undefined ? undefined : await waitFor(workflow, accepted.id, seconds, context, closing);
      if (!waited) return json(acceptedBody(accepted), 202, headers);
      const result = accepted.outcome === "existing" ? { ...waited, duplicate: true as const } : waited;
      return resultResponse(result, { ...headers, "preference-applied": `wait=${seconds}` });
    },
  };
}

const acceptedBody = ({ id, identity }: Accepted): object => ({ status: "processing", ...identity, workflow_id: id });

/** @param given key from the request's header, used if the body has none */
async function submit(workflow: Workflow, body: unknown, given: string | undefined): Promise<Accepted> {
  const { key } = workflow.process;
  const usesGiven = given !== undefined && isObject(body) && !Object.hasOwn(body, key);
  const parameters = usesGiven ? { ...body, [key]: given } : body;
  try {
    return await workflow.submit(parameters, { via: "http", fixed: [] });
  } catch (error) {
    workflow.logUnexpected(error);
    if (!usesGiven || !(error instanceof ConflictError)) throw error;
    throw new ValidationError("This Idempotency-Key was already used with different content. Use a new one.", {
      code: "idempotency_key_reused",
      cause: error,
    });
  }
}

/**
 * The key in an `Idempotency-Key` header. The draft standard asks for quotes; many clients omit
 * them.
 */
function keyOf(header: string | undefined): string | undefined {
  const [, quoted] = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header?.trim() ?? "") ?? [];
  return quoted?.replaceAll(/\\(["\\])/g, "$1") ?? header?.trim();
}

/** The seconds in `Prefer: wait=…`, at most the maximum; undefined if it has no `wait`. */
function waitOf(prefer: string | undefined): number | undefined {
  const [, seconds] = /(?:^|[,;])\s*wait\s*=\s*"?(\d+)"?\s*(?:$|[,;])/i.exec(prefer ?? "") ?? [];
  if (seconds === undefined) return undefined;
  return Math.min(Number(seconds), MAX_WAIT_S);
}

/**
 * The result of a run; undefined if it takes longer, the client has gone, or the service closes.
 */
async function waitFor(
  workflow: Workflow,
  id: string,
  seconds: number,
  { req }: HttpContext,
  closing: AbortSignal,
): Promise<RunResult | undefined> {
  const signal = AbortSignal.any([AbortSignal.timeout(seconds * 1000), req.raw.signal, closing]);
  try {
    return await workflow.getWorkflowResult(id, { signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/**
 * A response with a result: 200 if the run has succeeded, 202 if it continues or waits for a
 * person, a problem if it has failed.
 */
export function resultResponse(result: RunResult, headers: Record<string, string> = {}): Response {
  if (result.status !== undefined) return json(result, 202, headers);
  if (result.success) return json(result, 200, headers);
  const { error: _, error_code: _1, error_type: _2, retriable: _3, ...extras } = result;
  return problem(failureIn(result), { headers, extras });
}

/** The error in a failed result. */
export const failureIn = ({
  error = "The run has failed.",
  error_code = "failed",
  error_type = "unexpected_error",
  retriable = false,
}: RunResult): AbiError => fromWireError({ error, error_code, error_type, retriable });

function viewRoute(workflow: Workflow): Route {
  const { name, process } = workflow;
  const key = exampleOf(workflow)[process.key];
  return {
    method: "GET",
    path: `/workflows/${name}/:${process.key}`,
    id: `view-${name}`,
    tag: "workflows",
    summary: "Look up",
    description: `What is known about the run with this \`${process.key}\`.`,
    access: process.scope === "admin" ? "admin" : "feedback:read",
    operations: [],
    parameters: [
      {
        name: process.key,
        in: "path",
        description: `The \`${process.key}\` with which it was submitted.`,
        required: true,
        schema: { type: "string" },
        ...withoutAbsent({ example: key }),
      },
    ],
    answers: {
      200: {
        description: "The status, and what the run has found out.",
        types: {
          "application/json": {
            type: "object",
            properties: {
              status: { type: "string" },
              [process.key]: { type: "string" },
              workflow_id: { type: "string", description: WORKFLOW_ID_OF_RUN },
            },
            required: ["status", process.key],
          },
        },
      },
    },
    errors: [404],
    handle: async ({ req }) => {
      const key = tidyIdentifier(req.param(process.key) ?? "");
      const { status, ...view } = await workflow.view(key);
      if (status !== "not_found") return json({ [process.key]: key, status, ...view });
      throw notFound(`Nothing was submitted with this ${process.key}.`);
    },
  };
}

export const notFound = (message: string): ValidationError => new ValidationError(message, { code: "not_found" });
