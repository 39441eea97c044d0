import { ValidationError } from "../../errors.ts";
import type { Operation } from "../../framework/operation.ts";
import { RunResultSchema } from "../../framework/run-schemas.ts";
import type { RunResult } from "../../framework/result.ts";
import { withDerivedKey } from "../../framework/submission.ts";
import { fieldSchema, parse } from "../../framework/validation.ts";
import { modelArguments } from "../model-calls/model-arguments.ts";
import { serviceToolsOf, type ModelTool } from "../model-calls/model-call.ts";
import { jsonBody } from "./body.ts";
import { problem } from "./problem.ts";
import type { HttpParts, Route } from "./route.ts";
import { json } from "./workflow-router.ts";
import { failureIn, resultResponse } from "./workflow-routes.ts";

/**
 * The agents' tools as HTTP routes. A model may have written the arguments, so they are read as
 * leniently as in any tool call, and count as chosen by a model.
 * @throws ValidationError (`invalid_configuration`) if two tools have the same name
 */
export const toolRoutes = (parts: HttpParts): Route[] =>
  serviceToolsOf(parts.service).map((tool) => toolRoute(tool, parts));

function toolRoute({ operation, schema, call }: ModelTool, { bodyTimeoutMs }: HttpParts): Route {
  const { name, description, scope, example } = operation;
  const isDurable = operation.kind === "durable";
  return {
    method: "POST",
    path: `/tools/${name}`,
    id: name,
    tag: "tools",
    summary: `Call ${name}`,
    description,
    access: scope,
    operations: [operation],
    body: {
      description: "The arguments. Optional ones may also be null.",
      types: { "application/json": lenient(schema, operation) },
      required: true,
      ...(example && { example: example.input }),
    },
    answers: {
      200: {
        description: "The tool's result.",
        types: { "application/json": isDurable ? RunResultSchema : operation.output },
        ...(example?.output && { example: example.output }),
      },
      ...(isDurable && {
        202: {
          description: "The run waits for a person or for a retry, and continues in the background.",
          types: { "application/json": RunResultSchema },
        },
      }),
    },
    errors: [409, 503],
    handle: async ({ req }) => {
      const args = await jsonBody(req.raw, { timeoutMs: bodyTimeoutMs });
      const calling = call(args, {}, { signal: req.raw.signal });
      let step = await calling.next();
      while (!step.done) step = await calling.next();
      return answer(operation, args, step.value as RunResult);
    },
  };
}

/** The tool's schema, but optional arguments may also be left out. */
function lenient(schema: ModelTool["schema"], { input }: Operation): object {
  const required = (schema["required"] as string[]).filter(
    (name) => !fieldSchema(input, name)!.safeParse(undefined).success,
  );
  return { ...schema, required };
}

function answer(operation: Operation, args: unknown, result: RunResult): Response {
  if (operation.kind === "durable") return withFields(operation, args, result) ?? resultResponse(result);
  if (!hasFailed(result) || result.error === undefined) return json(result);
  return withFields(operation, args, result) ?? problem(failureIn(result));
}

/** If a call has failed, its result has `success: false`, also for a direct operation. */
const hasFailed = ({ success }: { success?: unknown }): boolean => success === false;

/** A problem that lists the invalid fields. A tool's result only names them in its message. */
function withFields(operation: Operation, args: unknown, result: RunResult): Response | undefined {
  if (!hasFailed(result) || result.error_code !== "invalid_parameters") return undefined;
  try {
    const meant = modelArguments(operation)(args);
    parse(operation.input, operation.kind === "durable" ? withDerivedKey(operation, meant) : meant);
  } catch (error) {
    if (error instanceof ValidationError) return problem(error);
  }
  return undefined;
}
