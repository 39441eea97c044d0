import { openApiDocument } from "../../src/interfaces/http/openapi.ts";
import { pathTemplate, scopesOf, type Content, type Route } from "../../src/interfaces/http/route.ts";
import { block, cell, code, page, table } from "./markdown.ts";

interface OpenApi {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, { responses: Record<string, { $ref?: string }> }>>;
  components: { responses: Record<string, { description: string }> };
}

export function httpPage(routes: readonly Route[]): string {
  const document = openApiDocument(routes, { title: "abi-workflows", version: "0" }) as OpenApi;
  return page(
    "HTTP API",
    "The routes of `abi-workflows serve`, for the customer feedback workflow with approval. Your own workflows " +
      "get the same routes. A running service has this page at `/docs`, and all schemas at `/openapi.json`. To " +
      "learn how to call it, see [The HTTP service](../http.md).",
    ...document.tags.map(({ name, description }) =>
      [
        `## ${titleOf(name)}`,
        description,
        ...routes.filter(({ tag }) => tag === name).map((route) => section(route, document)),
      ].join("\n\n"),
    ),
    "## Errors\n\nErrors are problem documents (RFC 9457). `error_code` says what went wrong, and `detail` " +
      `what to do about it.\n\n${errorTable(document)}`,
  );
}

const titleOf = (tag: string): string => tag.charAt(0).toUpperCase() + tag.slice(1);

function section(route: Route, document: OpenApi): string {
  const { method, summary, description = "", parameters = [], body, answers } = route;
  const errors = Object.entries(document.paths[pathTemplate(route)]![method.toLowerCase()]!.responses)
    .filter(([, response]) => response.$ref !== undefined)
    .map(([status]) => status);
  const parts = [
    `### ${code(`${method} ${pathTemplate(route)}`)}`,
    `${summary}. ${accessOf(route)}`,
    description,
    parameters.length === 0
      ? ""
      : table(
          ["Parameter", "In", "Meaning"],
          parameters.map((one) => [code(one.name), one.in, cell(one.description)]),
        ),
    body ? `Body: ${typesOf(body)}. ${body.description}` : "",
    body ? example(body) : "",
    ...Object.entries(answers).flatMap(([status, content]) => [
      `Answer ${status}: ${content.description}`,
      example(content),
    ]),
    errors.length === 0 ? "" : `Errors: ${errors.join(", ")}.`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

const typesOf = ({ types }: Content): string => Object.keys(types).map(code).join(" or ");

function accessOf(route: Route): string {
  if (route.access === "public") return "No token.";
  const scopes = scopesOf(route).map(code).join(" or ");
  return typeof route.access === "string" ? `Scope: ${scopes}.` : `Scope: ${scopes}, or a signature.`;
}

function example({ example: value, types }: Content): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return block("json", JSON.stringify(value, null, 2));
  return block(Object.keys(types).some((type) => type.includes("jsonl")) ? "jsonl" : "text", value);
}

const errorTable = ({ components }: OpenApi): string =>
  table(
    ["Status", "Meaning"],
    Object.entries(components.responses).map(([name, { description }]) => [
      name.replace("Error", ""),
      cell(description),
    ]),
  );
