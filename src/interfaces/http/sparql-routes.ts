/** SPARQL 1.1 Protocol (https://www.w3.org/TR/sparql11-protocol/), queries only. */
import { ValidationError } from "../../errors.ts";
import { JSON_RESULTS } from "../../ontology/sparql/json-results.ts";
import { storeName } from "../../ontology/store-name.ts";
import { withPrefixes } from "../../ontology/vocabulary.ts";
import { checkType, decodeText, mediaType, readBody } from "./body.ts";
import type { GraphQueries } from "./graph-queries.ts";
import type { Content, HttpContext, HttpParts, Parameter, Route } from "./route.ts";
import { formatted, N_TRIPLES } from "./sparql-results.ts";

const QUERY = "application/sparql-query";
const FORM = "application/x-www-form-urlencoded";
const TRUNCATED = "x-truncated";

const refuse = (message: string, code = "bad_request"): ValidationError => new ValidationError(message, { code });

const queryParameter: Parameter = {
  name: "query",
  in: "query",
  description: "SELECT, ASK, CONSTRUCT or DESCRIBE of SPARQL 1.1.",
  required: true,
  schema: { type: "string" },
  example: "ASK { ?s ?p ?o }",
};

const graphParameter: Parameter = {
  name: "default-graph-uri",
  in: "query",
  description: "IRI of the store to query, `http://example.org/abi/stores/<name>`. Reach other stores with GRAPH.",
  schema: { type: "string" },
};

const answers: Record<number, Content> = {
  200: {
    description:
      "Rows or a boolean as SPARQL JSON results, or triples as N-Triples. `X-Truncated: true` means that some " +
      "were left out.",
    types: { [JSON_RESULTS]: { type: "object" }, [N_TRIPLES]: { type: "string" } },
    headers: ["X-Truncated"],
  },
};

/** The routes of the protocol; none if the graph can't be queried here. */
export function sparqlRoutes({ graph, service, bodyTimeoutMs }: HttpParts): Route[] {
  if (!graph) return [];
  const common = {
    path: "/sparql",
    tag: "graph",
    description:
      `Read-only queries by the SPARQL 1.1 Protocol. A query is stopped after ${graph.timeoutMs / 1000} ` +
      "seconds and returns at most " +
      `${graph.maximumRows} rows. The prefixes abi:, rdf:, xsd: and prov: are declared.`,
    access: "admin",
    operations: service.operations.flatMap(({ operation }) => (operation.name === "query_graph" ? [operation] : [])),
    answers,
    errors: [406],
  } as const;
  return [
    {
      ...common,
      method: "GET",
      id: "sparql-get",
      summary: "Query the graph",
      parameters: [queryParameter, graphParameter],
      handle: (context) => {
        const { searchParams } = new URL(context.req.url);
        return ask(graph, one(searchParams, "query"), searchParams, context);
      },
    },
    {
      ...common,
      method: "POST",
      id: "sparql-post",
      summary: "Query the graph with a long query",
      parameters: [graphParameter],
      body: {
        description: "The query, or a form with `query` in it.",
        types: {
          [QUERY]: { type: "string" },
          [FORM]: {
            type: "object",
            properties: { query: { type: "string" }, "default-graph-uri": { type: "string" } },
            required: ["query"],
          },
        },
        required: true,
        example: "ASK { ?s ?p ?o }",
      },
      handle: async (context) => {
        const request = context.req.raw;
        checkType(request, [QUERY, FORM], "a query");
        const text = textOf(await readBody(request, { timeoutMs: bodyTimeoutMs }));
        const { searchParams } = new URL(request.url);
        if (mediaType(request)?.essence === QUERY) return ask(graph, text, searchParams, context);
        const form = new URLSearchParams(text);
        return ask(graph, one(form, "query"), form, context);
      },
    },
  ];
}

function textOf(bytes: Buffer): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    throw new ValidationError("The body is not UTF-8 text.", { code: "bad_request", cause });
  }
}

async function ask(
  { runner, store, ...limits }: GraphQueries,
  sparql: string,
  parameters: URLSearchParams,
  { req }: HttpContext,
): Promise<Response> {
  if (parameters.has("update")) throw refuse("The graph can only be queried here, not changed.", "unsupported_sparql");
  if (parameters.has("named-graph-uri"))
    throw refuse("named-graph-uri is not supported. Reach other stores with GRAPH.");
  const answer = await runner.run({
    store: storeOf(parameters) ?? store,
    sparql: withPrefixes(sparql),
    signal: req.raw.signal,
    ...limits,
  });
  const { type, body } = formatted(answer);
  if (!accepts(req.header("accept"), type))
    throw refuse(`The answer is only available as ${type}: accept this type.`, "not_acceptable");
  return new Response(body, {
    headers: { "content-type": type, ...(answer.truncated && { [TRUNCATED]: "true" }) },
  });
}

function storeOf(parameters: URLSearchParams): string | undefined {
  if (!parameters.has("default-graph-uri")) return undefined;
  const name = storeName(one(parameters, "default-graph-uri"));
  if (name !== undefined) return name;
  throw refuse("default-graph-uri must be the IRI of one store, http://example.org/abi/stores/<name>.");
}

function one(parameters: URLSearchParams, name: string): string {
  const [value, ...others] = parameters.getAll(name);
  if (value !== undefined && others.length === 0) return value;
  throw refuse(value === undefined ? `The parameter ${name} is missing.` : `The parameter ${name} is given twice.`);
}

/**
 * Whether an `Accept` header allows this type. Weights don't matter, because there is only one
 * format to choose from. `application/json` and `text/plain` always match.
 */
function accepts(header: string | undefined, type: string): boolean {
  const wanted = (header ?? "*/*").split(",").map((part) => part.split(";")[0]!.trim().toLowerCase());
  return wanted.some((one) =>
    ["*/*", type, `${type.split("/")[0]}/*`, "application/json", "text/plain", ""].includes(one),
  );
}
