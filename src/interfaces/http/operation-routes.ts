import type { DirectOperation } from "../../framework/operation.ts";
import type { ServiceOperation } from "../../framework/service.ts";
import { importRoute } from "./batch-route.ts";
import { jsonBody } from "./body.ts";
import type { HttpParts, Route } from "./route.ts";
import { json } from "./workflow-router.ts";
import { call } from "./run-routes.ts";

/**
 * Routes for operations that the routes in `known` don't call, so that every operation can be
 * called. Those of the approval queue are left out: they are only called through the routes of the
 * queue.
 */
export function operationRoutes(parts: HttpParts, known: readonly Route[]): Route[] {
  const served = new Set(known.flatMap(({ operations }) => operations));
  return parts.service.operations.flatMap((one): Route[] => {
    const { operation } = one;
    if (served.has(operation) || operation.kind === "durable") return [];
    if (operation.kind === "stream") return [importRoute(operation, pathOf(one), parts)];
    return operation.approval === undefined ? [operationRoute(parts, one, operation)] : [];
  });
}

function pathOf({ operation: { name }, workflow, pipeline }: ServiceOperation): string {
  if (pipeline) return `/pipelines/${pipeline.name}/${name}`;
  return workflow ? `/workflows/${workflow.name}/operations/${name}` : `/operations/${name}`;
}

function operationRoute({ bodyTimeoutMs }: HttpParts, one: ServiceOperation, operation: DirectOperation): Route {
  const { name, description, scope, example } = operation;
  return {
    method: "POST",
    path: pathOf(one),
    id: one.workflow ? `${one.workflow.name}-${name}` : name,
    tag: one.pipeline ? "pipelines" : "operations",
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
