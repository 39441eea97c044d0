import { createHash } from "node:crypto";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { openChat } from "../../../agents/index.ts";
import { openApplication } from "../../../src/application/application.ts";
import { createHttpApi } from "../../../src/interfaces/http/http-api.ts";
import { Tokens } from "../../../src/interfaces/http/tokens.ts";
import { readSettings } from "../../../src/application/settings.ts";
import { SCOPES } from "../../../src/framework/operation.ts";
import { root } from "../../docs/documents.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { rawMail } from "../../support/raw-mail.ts";
import { startHttpServer } from "../../../src/interfaces/http/server.ts";

interface Media {
  schema: object;
  example?: unknown;
}

interface DocumentedOperation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: object[];
  parameters?: { name: string; in: string; required: boolean; example?: string }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media>; $ref?: string }>;
}

interface Document {
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { responses: Record<string, object> };
}

const SECRET = "all-0123456789abcdefgh";

/** The service with the sample data, which the examples refer to. */
async function startSample() {
  const folder = temporaryFolder();
  const settings = readSettings(
    { dataDirectory: folder, customerSource: join(root, "examples/data/customers.csv"), approval: true },
    {},
  );
  const application = await openApplication(settings);
  const chat = await openChat(application, settings);
  const { app, routes } = createHttpApi(application.service, {
    tokens: Tokens.of("Ann Ford", SCOPES, SECRET),
    version: "1.2.3",
    chat,
    graph: {
      runner: application.ontologyStore.queryRunner,
      store: "feedback_data",
      timeoutMs: 30_000,
      maximumRows: 1000,
      maximumBytes: 10_000_000,
    },
  });
  const server = await startHttpServer(app.fetch, { host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await server.close();
    await chat.close();
    await application.close();
  });
  const get = async (path: string): Promise<Response> =>
    fetch(`${server.url}${path}`, { headers: { connection: "close" } });
  const text = await (await get("/openapi.json")).text();
  return { ...application, routes, url: server.url, get, text, document: JSON.parse(text) as Document };
}

type Sample = Awaited<ReturnType<typeof startSample>>;

describe("the OpenAPI document", () => {
  it("passes the linter without a warning", async () => {
    const { text } = await startSample();
    const problems = await lintFromString({ source: text, config: await createConfig({ extends: ["recommended"] }) });
    expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
  });

  it("has every route, with its security and its errors", async () => {
    const { document, routes } = await startSample();
    const documented = operationsOf(document).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(documented.toSorted()).toEqual(
      routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`).toSorted(),
    );
    for (const { operation } of operationsOf(document)) {
      const statuses = Object.keys(operation.responses);
      expect(operation.summary).not.toBe("");
      expect(statuses.some((status) => status.startsWith("4"))).toBe(true);
      expect(operation.security.length > 0).toBe(statuses.includes("401"));
    }
  });

  it("names the scope that a token needs, even on routes that check it themselves", async () => {
    const { document, get } = await startSample();
    const descriptionOf = (path: string, method: string) => document.paths[path]![method]!.description;
    expect(descriptionOf("/approvals/{workflow_id}/approve", "post")).toMatch(/Scope of the token: `approve`\.$/);
    expect(descriptionOf("/events", "post")).toMatch(/Scope of the token: `feedback:write`\.$/);
    const page = await (await get("/docs")).text();
    expect(page).toContain("Needs a token with the scope approve.");
    expect(page).toContain("Needs a token with the scope feedback:write, or a signature.");
  });

  it("describes bodies as the operations read them", async () => {
    const { document } = await startSample();
    const { schema } =
      document.paths["/workflows/customer-feedback"]!["post"]!.requestBody!.content["application/json"]!;
    expect(schema).toMatchObject({
      required: ["feedback_id", "customer_id", "subject", "feedback_text"],
      additionalProperties: false,
      properties: {
        feedback_id: { type: "string", description: expect.any(String) },
        sentiment: { enum: ["positive", "negative", "neutral"] },
        categories: { type: "array" },
        send_response: { type: "boolean" },
      },
    });
  });

  it("has examples that work: each gets the documented answer", async () => {
    const sample = await startSample();
    const faults: string[] = [];
    for (const { path, method, operation } of operationsOf(sample.document)) {
      faults.push(...(await replay(sample, method, path, operation)));
    }
    expect(faults).toEqual([]);
  });
});

describe("the documentation page", () => {
  it("shows every route, and allows no script", async () => {
    const { get, routes } = await startSample();
    const response = await get("/docs");
    expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-[^']+';/);
    const page = await response.text();
    const [, style = ""] = /<style>([^]*)<\/style>/.exec(page) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(response.headers.get("content-security-policy")).toContain(`style-src 'sha256-${hash}'`);
    expect(page).not.toContain("<script");
    for (const { id } of routes) expect(page).toContain(`id="${id}"`);
  });
});

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/**
 * Values that an example can't know in advance, and scores, which change with every improved model.
 */
const OF_THE_MOMENT = new Set([
  "workflow_id",
  "rendering",
  "edited_rendering",
  "decided_at",
  "feedback_id",
  "score",
  "scores",
]);

let count = 0;

/** A run that waits for a person or has ended, as the route requires. */
async function prepare({ workflow }: Sample, path: string): Promise<Record<string, string>> {
  const feedback_id = path.includes("{feedback_id}") ? "F-1" : `P-${(count += 1)}`;
  const [text, by] = ["You have charged me twice.", "Ann"];
  const feedback = { feedback_id, customer_id: "C-1001", subject: "Invoice", feedback_text: text };
  const { workflow_id = "" } = await workflow.run(feedback);
  const { rendering } = (await workflow.getPendingResponse(workflow_id))!;
  if (path.startsWith("/runs")) {
    await workflow.rejectResponse(workflow_id, { rendering, by });
    await workflow.getWorkflowResult(workflow_id);
  }
  return { workflow_id, rendering, feedback_id };
}

/** A conversation that waits for a decision. */
async function conversation({ url }: Sample): Promise<Record<string, string>> {
  const message = `Customer C-1007 wrote: 'A good product, number ${(count += 1)}'`;
  const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/json", connection: "close" };
  const response = await fetch(`${url}/chat`, { method: "POST", headers, body: JSON.stringify({ message }) });
  const [, thread_id = ""] = /"thread_id":"([^"]+)"/.exec(await response.text()) ?? [];
  return { thread_id };
}

/** An existing held email, if an example is about one. */
async function heldMail({ service }: Sample, example: unknown): Promise<Record<string, string>> {
  if (!Object.hasOwn(Object(example) as object, "mail_id")) return {};
  const { mail_id } = await service.receiveMail(rawMail({ From: "A Stranger <stranger@example.net>" }));
  return { mail_id: mail_id as string };
}

/** How the real answer to an operation's example differs from the documented one. */
async function replay(sample: Sample, method: string, path: string, operation: DocumentedOperation): Promise<string[]> {
  const known = path.includes("{thread_id}")
    ? await conversation(sample)
    : path.includes("{")
      ? await prepare(sample, path)
      : {};
  const [type, media] =
    Object.entries(operation.requestBody?.content ?? {}).find(([, { example }]) => example !== undefined) ?? [];
  if (operation.requestBody && !media) return [`${operation.operationId} has no example`];
  const query = (operation.parameters ?? []).flatMap(({ name, in: place, example }) =>
    place === "query" && example !== undefined ? [[name, example] as [string, string]] : [],
  );
  const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(known[name]!));
  const body = media && bodyText(media.example, { ...known, ...(await heldMail(sample, media.example)) });
  const response = await fetch(`${sample.url}${target}?${new URLSearchParams(query).toString()}`, {
    method: method.toUpperCase(),
    headers: {
      authorization: `Bearer ${SECRET}`,
      connection: "close",
      ...(type !== undefined && { "content-type": type }),
    },
    ...(body !== undefined && { body }),
  });
  return faultsOf(operation, response).then((faults) =>
    faults.map((fault) => `${operation.operationId}: ${response.status}: ${fault}`),
  );
}

/** The beginning of a stream that never ends. */
async function beginningOf({ body }: Response): Promise<string> {
  for await (const text of body!.pipeThrough(new TextDecoderStream())) if (text.includes("event: ")) return text;
  return "";
}

async function faultsOf(operation: DocumentedOperation, response: Response): Promise<string[]> {
  const { responses, operationId } = operation;
  const text = await (operationId === "follow_runs" ? beginningOf(response) : response.text());
  if (response.status >= 300) return [text];
  const type = (response.headers.get("content-type") ?? "").split(";")[0]!;
  const answer = responses[String(response.status)];
  if (answer && !answer.content) return text === "" ? [] : ["there is a body, and none is documented"];
  const documented = answer?.content?.[type];
  if (!documented) return [`${type} is not documented`];
  if (!type.endsWith("json")) return [];
  const value = JSON.parse(text) as Record<string, unknown>;
  const schema = z.fromJSONSchema(documented.schema as Parameters<typeof z.fromJSONSchema>[0]);
  const { error } = schema.safeParse(value);
  const example = documented.example === undefined ? {} : withoutMoment(documented.example);
  const differing = Object.entries(example).filter(([name, expected]) => !isDeepStrictEqual(value[name], expected));
  return [...(error ? [error.message] : []), ...differing.map(([name]) => `${name} differs from the example: ${text}`)];
}

const bodyText = (example: unknown, known: Record<string, string>): string =>
  typeof example === "string"
    ? example
    : JSON.stringify(
        Object.fromEntries(
          Object.entries(example as object).map(([name, value]) => [
            name,
            name === "rendering" || name === "mail_id" ? known[name] : value,
          ]),
        ),
      );

const withoutMoment = (value: unknown): object =>
  Object.fromEntries(Object.entries(value as object).filter(([name]) => !OF_THE_MOMENT.has(name)));
