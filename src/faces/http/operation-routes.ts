import type { DirectOperation } from "../../workflow/operation.ts";
import type { ServiceOperation } from "../../workflow/service.ts";
import { jsonBody } from "./body.ts";
import type { HttpParts, Route } from "./route.ts";
import { json } from "./routes.ts";
import { call } from "./run-routes.ts";

/** Operations that have no route of their own, so that whatever is registered can be called. Deciding has its own routes alone. */
export function operationRoutes(parts: HttpParts, known: readonly Route[]): Route[] {
  const served = new Set(known.flatMap(({ operations }) => operations));
  return parts.service.operations.flatMap(({ operation, workflow }) =>
    operation.kind === "direct" && operation.approval === undefined && !served.has(operation)
      ? operationRoute(parts, operation, workflow)
      : [],
  );
}

function operationRoute(
  { bodyTimeoutMs }: HttpParts,
  operation: DirectOperation,
  workflow: ServiceOperation["workflow"],
): Route {
  const { name, description, scope, example } = operation;
  return {
    method: "POST",
    path: workflow ? `/workflows/${workflow.name}/operations/${name}` : `/operations/${name}`,
    id: workflow ? `${workflow.name}-${name}` : name,
    tag: "operations",
    summary: `Call ${name}`,
    description,
    access: scope,
    operations: [operation],
    body: {
      description: "Its input.",
      types: { "application/json": operation.input },
      required: true,
      ...(example && { example: example.input }),
    },
    answers: { 200: { description: "Its output.", types: { "application/json": operation.output } } },
    errors: [404, 409],
    handle: async (context) =>
      json(await call(operation, await jsonBody(context.req.raw, { timeoutMs: bodyTimeoutMs }), context)),
  };
}
