/** The OpenAPI document as a page for people, without a script. */
import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { openApiDocument, type OpenApiInfo } from "./openapi.ts";
import { pathTemplate, scopesOf, type Content, type Route } from "./route.ts";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid; }
details { border: 1px solid #8888; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { overflow-x: auto; background: #8881; padding: .75rem; border-radius: 6px; white-space: pre-wrap; }
th, td { text-align: left; vertical-align: top; padding: .15rem .75rem .15rem 0; }
.method { display: inline-block; min-width: 3.5rem; font-weight: 600; }
`;

/**
 * The page's `Content-Security-Policy`: the usual one, except that it allows the page's own style.
 * The hash covers everything between the tags, blanks included.
 */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Two routes that document all routes, themselves included. */
export function documentationRoutes(others: readonly Route[], info: OpenApiInfo): Route[] {
  const routes: Route[] = [
    {
      method: "GET",
      path: "/openapi.json",
      id: "openapi",
      tag: "documentation",
      summary: "This document",
      access: "public",
      operations: [],
      answers: { 200: { description: "OpenAPI 3.1.", types: { "application/json": { type: "object" } } } },
      handle: () => new Response(document(), { headers: { "content-type": "application/json" } }),
    },
    {
      method: "GET",
      path: "/docs",
      id: "docs",
      tag: "documentation",
      summary: "This document, for people",
      access: "public",
      operations: [],
      answers: { 200: { description: "An HTML page.", types: { "text/html": { type: "string" } } } },
      handle: async () =>
        new Response(String(await page(all, info)), {
          headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": DOCS_POLICY },
        }),
    },
  ];
  const all = [...others, ...routes];
  let made: string | undefined;
  // Created at the first request, so the service starts faster.
  const document = (): string => (made ??= JSON.stringify(openApiDocument(all, info)));
  return routes;
}

async function page(routes: readonly Route[], { title, version }: OpenApiInfo) {
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <h1>${title} ${version}</h1>
        <p>As an OpenAPI document: <a href="/openapi.json">openapi.json</a></p>
        ${tags.map(
          (tag) =>
            html`<h2>${tag}</h2>
              ${routes.filter((route) => route.tag === tag).map(section)}`,
        )}
      </body>
    </html>`;
}

const section = (route: Route) => html`
  <details id="${route.id}">
    <summary>
      <span class="method">${route.method}</span> <code>${pathTemplate(route)}</code> — ${route.summary}
    </summary>
    ${(route.description ?? "").split("\n\n").map((text) => html`<p>${text}</p>`)}
    <p>${accessText(route)}</p>
    ${parameters(route)}
    ${
      route.body
        ? html`<p>${route.body.description}</p>
            ${example(route.body)}`
        : ""
    }
    ${Object.entries(route.answers).map(
      ([status, content]) =>
        html`<p><b>${status}</b> ${content.description}</p>
          ${example(content)}`,
    )}
  </details>
`;

function accessText(route: Route): string {
  if (route.access === "public") return "Needs no token.";
  const token = `Needs a token with the scope ${scopesOf(route).join(" or ")}`;
  return typeof route.access === "string" ? `${token}.` : `${token}, or a signature.`;
}

const parameters = ({ parameters = [] }: Route) =>
  parameters.length === 0
    ? ""
    : html`<table>
        ${parameters.map(
          (one) =>
            html`<tr>
              <th><code>${one.name}</code></th>
              <td>${one.in}</td>
              <td>${one.description}</td>
            </tr>`,
        )}
      </table>`;

const example = ({ example: value }: Content) =>
  value === undefined ? "" : html`<pre>${typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>`;
