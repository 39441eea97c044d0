import { ValidationError } from "../../errors.ts";
import { withoutAbsent, type Json } from "../../json.ts";
import type { DirectOperation } from "../../framework/operation.ts";
import { parse } from "../../framework/validation.ts";
import { EXAMPLE_ID } from "./examples.ts";
import type { HttpContext, HttpParts, Parameter, Route } from "./route.ts";
import { RunChanges } from "./run-changes.ts";
import { followRun, lastEventId } from "./run-events.ts";
import { json } from "./workflow-router.ts";
import { OpenStreams } from "./server-sent-events.ts";
import { inputJsonSchema } from "./schemas.ts";

/** How many streams may be open at a time; each one reads the database. */
const MAX_STREAMS = 200;

/** Routes to list, follow and manage the runs of all workflows. */
export function runRoutes(parts: HttpParts): Route[] {
  const { service } = parts;
  const runRoute = (name: string, method: "GET" | "POST", path: string, summary: string, example?: Json): Route => {
    const operation = service.operation(name);
    return {
      method,
      path,
      id: name,
      tag: "runs",
      summary,
      description: operation.description,
      access: operation.scope,
      operations: [operation],
      parameters: [WORKFLOW_ID],
      answers: answer(operation, example),
      errors: [404],
      handle: async (context) =>
        json(await call(operation, { workflow_id: context.req.param("workflow_id") }, context)),
    };
  };
  const streams = new OpenStreams(MAX_STREAMS, service.logger);
  return [
    listRoute(service.operation("list_runs"), "/runs", "runs", "List runs"),
    // Must come before the route of a run by its id.
    changesRoute(parts, streams),
    runRoute("get_run", "GET", "/runs/:workflow_id", "Show a run", EXAMPLE_STATUS),
    runRoute("get_run_history", "GET", "/runs/:workflow_id/history", "Show every attempt"),
    eventsRoute(parts, streams),
    runRoute("cancel_run", "POST", "/runs/:workflow_id/cancel", "Cancel a run", { ...EXAMPLE_STATUS, changed: false }),
    runRoute("retry_run", "POST", "/runs/:workflow_id/retry", "Retry a run", { ...EXAMPLE_STATUS, changed: false }),
  ];
}

const EXAMPLE_STATUS = { workflow_id: EXAMPLE_ID, status: "completed" } as const;

export const WORKFLOW_ID: Parameter = {
  name: "workflow_id",
  in: "path",
  description: "Id of the run.",
  required: true,
  schema: { type: "string" },
  example: EXAMPLE_ID,
};

const answer = ({ output }: DirectOperation, example?: Json): Route["answers"] => ({
  200: { description: "The result.", types: { "application/json": output }, ...withoutAbsent({ example }) },
});

/**
 * Calls an operation with the input of a request. If the request is aborted, so is the call.
 * @throws ValidationError for invalid input, and what the operation throws
 */
export const call = async (operation: DirectOperation, input: unknown, { req }: HttpContext): Promise<object> =>
  operation.run(parse(operation.input, input), { signal: req.raw.signal });

/** The route of a paginated list. Each page links to the next. */
export function listRoute(operation: DirectOperation, path: string, tag: string, summary: string): Route {
  return {
    method: "GET",
    path,
    id: operation.name,
    tag,
    summary,
    description:
      `${operation.description} The header \`Link\` with \`rel="next"\` has the next page; the last page has ` +
      "none.",
    access: operation.scope,
    operations: [operation],
    parameters: queryParameters(operation),
    answers: {
      200: { description: "One page of the list.", types: { "application/json": operation.output }, headers: ["Link"] },
    },
    handle: async (context) => {
      const url = new URL(context.req.url);
      const page = (await call(operation, queryOf(url.searchParams), context)) as { next?: string };
      return pageResponse(url, page);
    },
  };
}

/** A response with one page of a list, and a link to the next. */
export function pageResponse({ pathname, searchParams }: URL, page: { next?: string | undefined }): Response {
  if (page.next === undefined) return json(page);
  const query = new URLSearchParams(searchParams);
  query.set("after", page.next);
  return json(page, 200, { link: `<${pathname}?${query.toString()}>; rel="next"` });
}

/**
 * The query of a URL as an operation's input: `input[order_id]=O-1` becomes a field of `input`.
 * @throws ValidationError (`bad_request`) if a parameter is given twice, or its name
 *   contains `__proto__`
 */
function queryOf(query: URLSearchParams): Record<string, unknown> {
  const fields: Record<string, string | Record<string, string>> = {};
  for (const [name, value] of query) {
    if (name.includes("__proto__"))
      throw new ValidationError(`There is no parameter ${name}.`, { code: "bad_request" });
    const [, field, inner] = /^(\w+)\[([^\]]*)\]$/.exec(name) ?? [];
    const target = inner === undefined ? fields : objectAt(fields, field!);
    const key = inner ?? name;
    if (Object.hasOwn(target, key)) throw new ValidationError(`${name} is given twice.`, { code: "bad_request" });
    // A parameter must not reach or change what every object inherits.
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return fields;
}

function objectAt(fields: Record<string, unknown>, name: string): Record<string, unknown> {
  const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof known === "object" && known !== null) return known as Record<string, unknown>;
  if (known !== undefined) throw new ValidationError(`${name} is given twice.`, { code: "bad_request" });
  const made = {};
  Object.defineProperty(fields, name, { value: made, enumerable: true, configurable: true, writable: true });
  return made;
}

/** The fields of an operation's input as parameters of a query. */
function queryParameters({ input }: DirectOperation): Parameter[] {
  return Object.entries(inputJsonSchema(input).properties ?? {}).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    description: typeof description === "string" ? description : name,
    schema,
    style: schema.type === "object" ? ("deepObject" as const) : undefined,
  }));
}

function changesRoute({ service, closing }: HttpParts, streams: OpenStreams): Route {
  const operation = service.operation("list_runs");
  const changes = new RunChanges(service, closing);
  return {
    method: "GET",
    path: "/runs/events",
    id: "follow_runs",
    tag: "runs",
    summary: "Follow all runs",
    description:
      "Changes from now on, as server-sent events. `run` has a run as in the list, each time it changes. " +
      "`reset` means: load the list again. It is the first event, and also comes if too much has changed to send " +
      "individual events. With `Last-Event-ID`, you continue after that event; after a restart of the service or a " +
      "long absence, the first event is `reset`. Several changes to a run within a moment are one event.",
    access: operation.scope,
    operations: [operation],
    parameters: [
      {
        name: "after",
        in: "query",
        description: "Id of the last event that you have received.",
        schema: { type: "string" },
      },
      {
        name: "Last-Event-ID",
        in: "header",
        description: "The same, as browsers send it when they reconnect.",
        schema: { type: "string" },
      },
    ],
    answers: {
      200: {
        description:
          "The events. Each has its `id`, its type as `event`, and JSON as `data`: the run, or an empty object.",
        types: { "text/event-stream": { type: "string" } },
      },
    },
    handle: ({ req }) =>
      streams.respond(
        changes.follow(req.header("last-event-id") ?? req.query("after"), AbortSignal.any([req.raw.signal, closing])),
      ),
  };
}

function eventsRoute({ service, closing }: HttpParts, streams: OpenStreams): Route {
  const operation = service.operation("list_run_events");
  return {
    method: "GET",
    path: "/runs/:workflow_id/events",
    id: operation.name,
    tag: "runs",
    summary: "Follow a run",
    description:
      "Everything that has happened to a run and happens from now on, as server-sent events. The stream ends with " +
      "the run. With `Last-Event-ID`, you continue after that event; the answer is 204 if no more events can come. " +
      "With `Accept: application/json`, the answer is the list so far.",
    access: operation.scope,
    operations: [operation],
    parameters: [
      WORKFLOW_ID,
      {
        name: "after",
        in: "query",
        description: "Id of the last event that you have received.",
        schema: { type: "integer", minimum: -1 },
      },
      {
        name: "Last-Event-ID",
        in: "header",
        description: "The same, as browsers send it when they reconnect.",
        schema: { type: "integer", minimum: -1 },
      },
    ],
    answers: {
      200: {
        description: "The events. Each has its `id`, its type as `event`, and the same JSON as in the list as `data`.",
        types: { "text/event-stream": { type: "string" }, "application/json": operation.output },
      },
      204: { description: "The run has ended, and you have received its last event.", types: {} },
    },
    errors: [404],
    handle: async (context) => {
      const { req } = context;
      const id = req.param("workflow_id") ?? "";
      const after = lastEventId(req.header("last-event-id") ?? req.query("after"));
      const accept = req.header("accept") ?? "";
      if (accept.includes("application/json") && !accept.includes("text/event-stream")) {
        return json(await call(operation, { workflow_id: id, after }, context));
      }
      const texts = await followRun(service, id, after, AbortSignal.any([req.raw.signal, closing]));
      return texts ? streams.respond(texts) : new Response(null, { status: 204 });
    },
  };
}
