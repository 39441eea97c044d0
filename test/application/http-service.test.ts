import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { openApplication } from "../../src/application/application.ts";
import { openHttpService } from "../../src/application/http-service.ts";
import { silentLogger } from "../../src/log.ts";
import { readSettings, type SettingsOptions } from "../../src/application/settings.ts";
import { feedback } from "../support/feedback.ts";
import { rawMail } from "../support/raw-mail.ts";

const CUSTOMERS = join(import.meta.dirname, "../../examples/data/customers.csv");
const SECRET = "writer-0123456789abcdef";
const authorization = `Bearer ${SECRET}`;

/** The service that these settings lead to, with a token that may read and write. */
async function open() {
  const httpTokens = `writer:feedback:read+feedback:write:${SECRET}`;
  const settings = readSettings({ dataDirectory: ":memory:", customerSource: CUSTOMERS, httpTokens, httpPort: 0 }, {});
  const application = await openApplication(settings, silentLogger);
  onTestFinished(() => application.close());
  const http = await openHttpService(application, settings, { version: "0.0.0" });
  onTestFinished(() => http.close());
  return { ...application, url: http.url };
}

async function mcpClient(url: string, headers: Record<string, string>): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit: { headers } }));
  onTestFinished(() => client.close());
  return client;
}

const listen = async (options: SettingsOptions) => {
  const settings = readSettings({ dataDirectory: ":memory:", httpPort: 0, ...options }, {});
  const application = await openApplication(settings, silentLogger);
  onTestFinished(() => application.close());
  const http = await openHttpService(application, settings, { version: "0.0.0" });
  onTestFinished(() => http.close());
  return http.url;
};

describe("the documentation of a whole service", () => {
  it("passes the linter without a warning, and has working examples for all tools", async () => {
    const url = await listen({ graphTools: "query", approval: true, customerSource: CUSTOMERS });
    const text = await (await fetch(`${url}/openapi.json`)).text();
    const problems = await lintFromString({ source: text, config: await createConfig({ extends: ["recommended"] }) });
    expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
    const { paths } = JSON.parse(text) as { paths: Record<string, { post?: { requestBody?: Body } }> };
    const tools = Object.entries(paths).filter(([path]) => path.startsWith("/tools/"));
    expect(tools.length).toBeGreaterThan(8);
    for (const [path, { post }] of tools) {
      const example = post?.requestBody?.content["application/json"].example;
      expect([path, example]).toEqual([path, expect.anything()]);
      const headers = { "content-type": "application/json" };
      const { status } = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(example) });
      // Its email waits for a person.
      expect([path, status]).toEqual([path, path === "/tools/process_customer_feedback" ? 202 : 200]);
    }
  });
});

interface Body {
  content: { "application/json": { example?: unknown } };
}

describe("a service without tokens", () => {
  it.each([
    [{ httpHost: "0.0.0.0" }, "HTTP_HOST is 0.0.0.0"],
    [{ publicUrl: "https://abi.example.org" }, "names abi.example.org"],
    [{ httpAllowedHosts: "localhost,abi.example.org" }, "names abi.example.org"],
    [{ httpTokens: " , " }, "HTTP_TOKENS has no tokens"],
    [{ httpTokens: `a:admin:${SECRET},b:approve:${SECRET}` }, "Two tokens have the same secret"],
    [{ httpCorsOrigins: "*" }, "There is no wildcard"],
  ])("refuses to start with %j", async (options, message) => {
    await expect(listen(options)).rejects.toThrow(message);
  });

  it("serves callers on this machine, but nobody who comes through a proxy on it", async () => {
    const url = await listen({ publicUrl: "http://localhost:8008" });
    const status = async (headers: Record<string, string>) => (await fetch(`${url}/runs`, { headers })).status;
    expect(await status({})).toBe(200);
    for (const name of ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"]) {
      expect([name, await status({ [name]: "203.0.113.9" })]).toEqual([name, 401]);
    }
  });
});

it("a service answers at the address of this machine on which it is configured to listen", async () => {
  const url = await listen({ httpHost: "127.0.0.2" });
  const { status } = await fetch(`${url}/runs`);
  expect([url, status]).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.2:/), 200]);
});

describe("a service with tokens", () => {
  it("speaks MCP with callers who have a token", async () => {
    const { url, workflow } = await open();
    await expect(mcpClient(url, {})).rejects.toThrow("This needs a token");
    const client = await mcpClient(url, { authorization });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(workflow.as_tools().map(({ name }) => name));
    const { structuredContent } = await client.callTool({
      name: "process_customer_feedback",
      arguments: feedback({ customer_id: "C-1001" }),
    });
    expect(structuredContent).toMatchObject({ success: true, feedback_id: "F-1" });
  });

  it("has metrics for callers who may read", async () => {
    const { url, workflow } = await open();
    await workflow.run(feedback({ customer_id: "C-1001" }));
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    await fetch(`${url}/runs`, { headers: { authorization } });
    const response = await fetch(`${url}/metrics`, { headers: { authorization } });
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    const text = await response.text();
    expect(text).toContain('abi_workflow_runs{workflow="customer-feedback",status="completed"} 1');
    expect(text).toMatch(/abi_http_request_duration_seconds_count\{method="GET",route="\/runs",status="200"\} 1/);
  });

  it("accepts raw emails", async () => {
    const { url, workflow, customerDataPipeline } = await open();
    await customerDataPipeline.loadAll();
    const send = (type: string, headers = { authorization }) =>
      fetch(`${url}/mail`, { method: "POST", headers: { ...headers, "content-type": type }, body: mail });
    const mail = rawMail({ From: "Mira Okafor <Mira.Okafor@example.com>", "Message-ID": "<1@mail.example.com>" });
    expect((await send("text/plain")).status).toBe(415);
    expect((await send("message/rfc822", { authorization: "Bearer wrong" })).status).toBe(401);
    const accepted = await send("message/rfc822");
    expect(accepted.status).toBe(202);
    const { workflow_id } = (await accepted.json()) as { workflow_id: string };
    expect(await workflow.getWorkflowResult(workflow_id)).toMatchObject({ success: true });
    const again = await send("message/rfc822");
    expect([again.status, await again.json()]).toEqual([200, expect.objectContaining({ status: "duplicate" })]);
  });
});
