import { z } from "zod";
import { ConflictError, isAbiError, ValidationError } from "../../errors.ts";
import { isObject } from "../../json.ts";
import type { DirectOperation } from "../../framework/operation.ts";
import type { Service } from "../../framework/service.ts";
import { parse } from "../../framework/validation.ts";
import { jsonBody } from "./body.ts";
import { problem } from "./problem.ts";
import type { HttpContext, HttpParts, Route } from "./route.ts";
import { json } from "./workflow-router.ts";
import { call, listRoute, WORKFLOW_ID } from "./run-routes.ts";
import { missingScope } from "./tokens.ts";

type Part = NonNullable<DirectOperation["approval"]>;
type Decision = Exclude<Part, "show">;

const SUMMARY: Record<Part, string> = {
  show: "Show what waits",
  approve: "Approve",
  edit: "Edit and approve",
  reject: "Reject",
};

/** Fields that come from the path or the token, never from the body. */
const NOT_IN_BODY = new Set(["workflow_id", "by"]);

/** The routes of the approval queue, for people whose token has the scope for it. */
export function approvalRoutes(parts: HttpParts): Route[] {
  const { service } = parts;
  return [
    listRoute(service.operation("list_approvals"), "/approvals", "approvals", "List what waits"),
    ...(["show", "approve", "edit", "reject"] as const).flatMap((part) => {
      const operations = operationsOf(service, part);
      if (operations.length === 0) return [];
      return part === "show" ? showRoute(parts, operations) : decisionRoute(parts, part, operations);
    }),
  ];
}

const operationsOf = ({ operations }: Service, part: Part): DirectOperation[] =>
  operations.flatMap(({ operation }) => (operation.kind === "direct" && operation.approval === part ? operation : []));

const anyOf = (schemas: readonly z.ZodType[]): z.ZodType =>
  schemas.length === 1 ? schemas[0]! : z.union(schemas as [z.ZodType, z.ZodType]);

const base = (part: Part, operations: readonly DirectOperation[]) =>
  ({
    id: `${part}-approval`,
    tag: "approvals",
    summary: SUMMARY[part],
    description: operations[0]!.description,
    // Each workflow defines which scope is needed to decide on its runs, so the handler checks it.
    access: "known",
    operations,
    parameters: [WORKFLOW_ID],
    answers: {
      200: {
        description: part === "show" ? "The email that waits." : "The decision.",
        types: { "application/json": anyOf(operations.map(({ output }) => output)) },
      },
    },
    errors: [403, 404, 409],
  }) satisfies Partial<Route>;

const showRoute = ({ service }: HttpParts, operations: readonly DirectOperation[]): Route => ({
  ...base("show", operations),
  method: "GET",
  path: "/approvals/:workflow_id",
  handle: async (context) => {
    const workflow_id = context.req.param("workflow_id") ?? "";
    const operation = await allowedOperation(service, workflow_id, "show", context);
    return json(await call(operation, { workflow_id }, context));
  },
});

function decisionRoute(parts: HttpParts, part: Decision, operations: readonly DirectOperation[]): Route {
  const { answers, ...rest } = base(part, operations);
  const bodies = operations.map(bodySchema);
  return {
    ...rest,
    answers: {
      ...answers,
      200: {
        ...answers[200],
        ...(operations[0]!.example?.output && { example: operations[0]!.example.output }),
      },
    },
    method: "POST",
    path: `/approvals/:workflow_id/${part}`,
    description:
      `${operations[0]!.description} \`rendering\` identifies exactly what you have seen. The decision is ` +
      "recorded under the token's name. If someone else has decided first, or something else is waiting now, the " +
      "answer is 409, with that decision or what is waiting in `standing`.",
    body: {
      description: "The decision.",
      types: { "application/json": anyOf(bodies) },
      required: true,
      ...(operations[0]!.example && { example: inBody(operations[0]!.example.input) }),
    },
    handle: (context) => decide(parts, part, context),
  };
}

const inBody = <Value>(fields: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !NOT_IN_BODY.has(name)));

const bodySchema = ({ input }: DirectOperation): z.ZodObject => z.strictObject(inBody(input.shape) as z.ZodRawShape);

/**
 * The operation of a run's workflow for this part of the approval queue, if the caller may use it.
 * @throws ValidationError (`scope_missing`, `token_missing`, `unknown_run`, `no_approvals`)
 */
async function allowedOperation(
  service: Service,
  workflow_id: string,
  part: Part,
  context: HttpContext,
): Promise<DirectOperation> {
  const scopes = context.get("caller")?.scopes;
  // This comes first: a caller who may decide on nothing must not learn whether a run exists.
  const scopesOfPart = operationsOf(service, part).map(({ scope }) => scope);
  if (!scopesOfPart.some((scope) => scopes?.has(scope))) throw missingScope(scopesOfPart[0]!, context.get("caller"));
  const { operation } = await service.approvalOperation(workflow_id, part);
  if (!scopes?.has(operation.scope)) throw missingScope(operation.scope, context.get("caller"));
  return operation;
}

async function decide(parts: HttpParts, part: Decision, context: HttpContext): Promise<Response> {
  const { service, bodyTimeoutMs } = parts;
  const { req } = context;
  const by = context.get("caller")?.name;
  // The router admits nobody without a name, but a decision without a name must never get through.
  if (by === undefined) throw new ValidationError("You need a token to decide.", { code: "token_missing" });
  const workflow_id = req.param("workflow_id") ?? "";
  const operation = await allowedOperation(service, workflow_id, part, context);
  const body = await jsonBody(req.raw, { timeoutMs: bodyTimeoutMs });
  const decision = parse(bodySchema(operation), body);
  try {
    return json(await call(operation, { ...decision, workflow_id, by }, context));
  } catch (error) {
    if (!(error instanceof ConflictError) || error.standing !== undefined) throw error;
    return problem(error, { extras: { standing: await whatWaits(service, workflow_id, context) } });
  }
}

/** What waits now instead, if anything. */
async function whatWaits(service: Service, workflow_id: string, context: HttpContext) {
  try {
    const { operation } = await service.approvalOperation(workflow_id, "show");
    const shown = await call(operation, { workflow_id }, context);
    return isObject(shown) ? (shown as Record<string, string>) : undefined;
  } catch (error) {
    if (isAbiError(error)) return undefined;
    throw error;
  }
}
