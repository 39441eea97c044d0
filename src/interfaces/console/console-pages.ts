/**
 * The console: pages on which people look at feedback, runs and the graph, decide on emails, and
 * talk to the agent.
 * The pages load data only from the public HTTP API, with the rights of the person's token.
 */
import { createHash } from "node:crypto";
import { assets, CLIENT_EXTENSION, modulePaths, type Assets } from "./assets.ts";

const BASE = "/console/";
const ASSETS = `${BASE}assets/`;

/** What the pages know besides what the API returns. */
export interface ConsoleOptions {
  /** What feedback can be about, for people to choose from. */
  categories: readonly string[];
  /** Names of all workflows. Default: none. */
  workflows?: readonly string[];
  /**
   * Names of the workflows that neither process feedback nor accompany other runs. Default: none.
   */
  others?: readonly string[];
  /**
   * Whether the data is sample data to try things out with. The pages then say so, and explain how
   * to begin.
   */
  isSample?: boolean;
  /** The page at which people begin, such as `runs`. Default: the inbox. */
  start?: () => Promise<string>;
}

/**
 * Answers requests for `/`, for `/console` and everything below it, and for links to approvals that
 * a browser follows; returns undefined for all other requests.
 */
export function consolePages(options: ConsoleOptions): (request: Request) => Promise<Response | undefined> {
  return async ({ url, headers }) => {
    const { pathname, search } = new URL(url);
    if (pathname === "/" || pathname === "/console")
      return redirect(`${BASE}${(await options.start?.()) ?? ""}${search}`);
    // Links to waiting emails are URLs of the API, but a browser that follows one wants the page.
    if (APPROVAL.test(pathname) && isNavigation(headers)) return redirect(`${BASE.slice(0, -1)}${pathname}`);
    if (!pathname.startsWith(BASE)) return undefined;
    const all = await assets();
    if (pathname.startsWith(ASSETS)) return file(pathname.slice(ASSETS.length), headers, all);
    return page(all, options);
  };
}

const APPROVAL = /^\/approvals(?:\/[^/]+)?$/;

const isNavigation = (headers: Headers): boolean => headers.get("accept")?.startsWith("text/html") === true;

const redirect = (location: string): Response => new Response(null, { status: 302, headers: { location } });

async function file(path: string, headers: Headers, { files, version }: Assets): Promise<Response> {
  const [asked, ...rest] = path.split("/");
  const asset = files.get(rest.join("/"));
  if (!asset) return new Response("There is no such file.", { status: 404 });
  const isCompressed = /\bbr\b/.test(headers.get("accept-encoding") ?? "");
  return new Response(new Uint8Array(isCompressed ? await asset.compressed() : asset.body), {
    headers: {
      "content-type": asset.type,
      // A page that was opened before an upgrade gets the current file, and doesn't keep it under
      // the old name.
      "cache-control": asked === version ? "public, max-age=31536000, immutable" : "no-store",
      vary: "accept-encoding",
      ...(isCompressed && { "content-encoding": "br" }),
    },
  });
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

function page(all: Assets, { categories, workflows = [], others = [], isSample = false }: ConsoleOptions): Response {
  const root = `${ASSETS}${all.version}/`;
  const imports = Object.fromEntries([...modulePaths].map(([name, path]) => [name, `${root}${path}`]));
  const importMap = JSON.stringify({ imports });
  const modules = [...all.files.keys()].filter((path) => /\.(?:ts|m?js)$/.test(path));
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="categories" content="${escaped(categories.join(" "))}">
<meta name="workflows" content="${escaped(workflows.join(" "))}">
<meta name="others" content="${escaped(others.join(" "))}">
${isSample ? '<meta name="sample" content="true">\n' : ""}<title>Console</title>
<link rel="icon" href="${root}client/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}client/style.css">
<script type="importmap">${importMap}</script>
${modules.map((path) => `<link rel="modulepreload" href="${root}${path}">`).join("\n")}
<script type="module" src="${root}client/main${CLIENT_EXTENSION}"></script>
</head>
<body>
<div id="app"></div>
<noscript>The console needs JavaScript. Without it, use the HTTP API: see <a href="/docs">/docs</a>.</noscript>
</body>
</html>
`;
  return new Response(body, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "content-security-policy": policy(importMap),
    },
  });
}

/**
 * Nothing from elsewhere, nothing inline except the import map. Emails are shown in frames, which
 * inherit this policy.
 */
const policy = (importMap: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'sha256-${createHash("sha256").update(importMap).digest("base64")}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types mail",
  ].join("; ");
