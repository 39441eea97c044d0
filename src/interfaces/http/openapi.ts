/**
 * The OpenAPI 3.1 document of the service (https://spec.openapis.org/oas/v3.1.1), generated from
 * its routes.
 */
import { withoutAbsent } from "../../json.ts";
import { ProblemSchema, PROBLEM_TYPE } from "./problem.ts";
import { pathTemplate, scopesOf, type Access, type Content, type Parameter, type Route } from "./route.ts";
import { schemaOf, toJsonSchema } from "./schemas.ts";

/** What the document says about the service. */
export interface OpenApiInfo {
  title: string;
  version: string;
  /** Base URL; default: `/` on the host that the document is loaded from. */
  url?: string;
}

const TAGS: Readonly<Record<string, string>> = {
  workflows: "Submit work, and look up the results.",
  runs: "List, follow, cancel and retry runs.",
  approvals: "Decide on what waits for a person. Needs a token with the scope `approve`.",
  events: "Send events and emails from other systems.",
  tools: "Call the agents' tools.",
  chat: "Talk to the agent.",
  graph: "Query the knowledge graph.",
  pipelines: "Move data into the graph.",
  operations: "Call all other operations.",
  health: "Check whether the service works.",
  documentation: "Read this documentation.",
};

const ERRORS: Readonly<Record<number, string>> = {
  400: "The request is malformed.",
  401: "The token is missing or unknown, or the signature is not valid.",
  403: "The token lacks the scope, or a page of another site is calling.",
  404: "Not found.",
  406: "The answer is not available in an accepted format.",
  408: "The request was sent too slowly.",
  409: "The request conflicts with an earlier one.",
  413: "The body is too large.",
  415: "The body has the wrong type.",
  421: "The service doesn't answer to this host name.",
  422: "The input is not valid: `fields` lists the invalid fields.",
  429: "Too many requests: see `Retry-After`.",
  500: "An error on our side; the log has the details.",
  503: "A service that is needed doesn't answer at the moment.",
};

const HEADERS: Readonly<Record<string, string>> = {
  Location: "The address of the run.",
  "Preference-Applied": "Which preference was followed.",
  Link: 'The next page, as `<…>; rel="next"`.',
  "X-Truncated": "`true` if rows were left out.",
  "Retry-After": "Seconds to wait.",
};

/** Makes the document: each route becomes an operation of its path. */
export function openApiDocument(routes: readonly Route[], { title, version, url = "/" }: OpenApiInfo): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = pathTemplate(route);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  const used = new Set(routes.map(({ tag }) => tag));
  return {
    openapi: "3.1.1",
    info: {
      title,
      version,
      summary: "Durable business workflows with approval by people and a knowledge graph.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url }],
    tags: Object.entries(TAGS).flatMap(([name, description]) => (used.has(name) ? [{ name, description }] : [])),
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token from HTTP_TOKENS or HTTP_TOKENS_FILE." },
        signature: {
          type: "apiKey",
          in: "header",
          name: "webhook-signature",
          description: "Standard Webhooks, with a secret from HTTP_WEBHOOK_SECRETS.",
        },
      },
      schemas: { Problem: toJsonSchema(ProblemSchema) },
      responses: problemResponses(routes),
    },
  };
}

function operationOf(route: Route): object {
  const { id, tag, summary, description, access, parameters = [], body } = route;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description: withScope(description, route) }),
    security: securityOf(access),
    ...(parameters.length > 0 && { parameters: parameters.map(parameterOf) }),
    ...(body && { requestBody: { required: body.required ?? false, ...contentOf(body, "input") } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, { headers, ...content }]) => [
          status,
          { ...contentOf(content, "output"), ...(headers && { headers: headersOf(headers) }) },
        ]),
      ),
      ...Object.fromEntries(
        errorsOf(route).map((status) => [status, { $ref: `#/components/responses/${nameOf(status)}` }]),
      ),
    },
  };
}

function withScope(description: string, route: Route): string {
  const scopes = scopesOf(route).map((scope) => `\`${scope}\``);
  return scopes.length === 0 ? description : `${description}\n\nScope of the token: ${scopes.join(" or ")}.`;
}

function securityOf(access: Access): object[] {
  if (access === "public") return [];
  return [{ token: [] }, ...(typeof access === "string" ? [] : [{ signature: [] }])];
}

const parameterOf = ({ example, style, ...parameter }: Parameter): object => ({
  ...parameter,
  required: parameter.required ?? false,
  ...withoutAbsent({ example }),
  ...(style && { style, explode: true }),
});

const contentOf = ({ description, types, example }: Content, io: "input" | "output"): object => ({
  description,
  ...(Object.keys(types).length > 0 && {
    content: Object.fromEntries(
      Object.entries(types).map(([type, schema]) => [
        type,
        { schema: schemaOf(schema, io), ...(example !== undefined && fits(type, example) && { example }) },
      ]),
    ),
  }),
});

/**
 * If there are several media types, the example only fits those of its form: text, or an object.
 */
const fits = (type: string, example: unknown): boolean =>
  (typeof example === "string") === !/json$|form/.test(type.replace(/jsonl$|ndjson$/, "lines"));

const headersOf = (names: readonly string[]): object =>
  Object.fromEntries(names.map((name) => [name, { description: HEADERS[name], schema: { type: "string" } }]));

/** The errors to document for a route: its own, and those that follow from how it is called. */
function errorsOf({ method, access, tag, body, errors = [], answers }: Route): number[] {
  // Health checks answer to any host name.
  if (access === "public") return [...new Set([403, ...(tag === "health" ? [] : [421]), 500, ...errors])];
  const ofBody = body ? (body.streamed ? [415] : [400, 408, 413, 415, 422]) : [];
  const ofQuery = method === "GET" ? [400, 422] : [];
  const all = new Set([401, 403, 421, 429, 500, 503, ...ofBody, ...ofQuery, ...errors]);
  return [...all].filter((status) => !Object.hasOwn(answers, status)).toSorted((a, b) => a - b);
}

const nameOf = (status: number): string => `Error${status}`;

function problemResponses(routes: readonly Route[]): Record<string, object> {
  const used = [...new Set(routes.flatMap(errorsOf))].toSorted((a, b) => a - b);
  return Object.fromEntries(
    used.map((status) => [
      nameOf(status),
      {
        description: ERRORS[status],
        ...(status === 429 && { headers: headersOf(["Retry-After"]) }),
        content: { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    ]),
  );
}
