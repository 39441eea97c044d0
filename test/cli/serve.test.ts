import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../docs/documents.ts";
import { call, callProcess, parseLines, RunningCommand, workplace } from "./command-process.ts";

const TOKEN = "ann-0123456789abcdef";
const TOKENS = { HTTP_TOKENS: `ann:approve+feedback:read+feedback:write:${TOKEN}` };
const FEEDBACK = { feedback_id: "F-1", customer_id: "C-1", subject: "Hello", feedback_text: "I love the new design!" };

interface Ready {
  url: string;
  token?: string;
}

/** Starts the service in its own process, and waits until it listens. */
async function startServe(
  args: readonly string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<Ready & { command: RunningCommand }> {
  const command = new RunningCommand(["serve", "--port", "0", "--json", ...args], { cwd, env });
  const [line] = await command.lines(1);
  return { ...(JSON.parse(line!) as Ready), command };
}

const ask = async (url: string, token: string | undefined, body?: object) => {
  const response = await fetch(url, {
    headers: {
      connection: "close",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { "content-type": "application/json", prefer: "wait=60" }),
    },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe("serve", () => {
  it("offers everything over HTTP until it is stopped, and continues after a restart", async () => {
    const place = workplace();
    const env = { ...place.env, ...TOKENS, APPROVAL: "on" };
    const first = await startServe([], { ...place, env });
    expect(first).not.toHaveProperty("token");
    expect(await ask(`${first.url}/readyz`, undefined)).toMatchObject({
      status: 200,
      body: { status: "ok", parts: { database: { status: "ok" }, graph: { status: "ok" }, queue: { status: "ok" } } },
    });
    expect(await ask(`${first.url}/runs`, undefined)).toMatchObject({ status: 401 });
    const { body } = await ask(`${first.url}/workflows/customer-feedback`, TOKEN, FEEDBACK);
    expect(body).toMatchObject({ status: "waiting_for_approval" });
    first.command.kill("SIGTERM");
    expect(await first.command.ended).toMatchObject({ code: 0, stderr: expect.stringContaining("Stopped.") });

    const second = await startServe([], { ...place, env });
    const approval = `${second.url}/approvals/${String(body["workflow_id"])}`;
    const { body: shown } = await ask(approval, TOKEN);
    const decided = await ask(`${approval}/approve`, TOKEN, { rendering: shown["rendering"] });
    expect(decided).toMatchObject({ status: 200, body: { decision: "approve", by: "ann" } });
    second.command.kill("SIGTERM");
    expect((await second.command.ended).code).toBe(0);
  });

  it("shows how to call a user's own workflow", async () => {
    const { cwd } = workplace();
    const workflows = join(root, "templates/project/src/workflows.ts");
    const env = { NODE_OPTIONS: `--import ${join(root, "scripts/package-from-sources.mjs")}` };
    const command = new RunningCommand(["serve", "--port", "0", "--workflows", workflows], { cwd, env });
    expect((await command.lines(9)).join("\n")).toMatch(/curl \S+\/workflows\/refund .*\n.*"refund_id":"R-1"/);
    command.kill("SIGTERM");
    expect((await command.ended).code).toBe(0);
  });

  it("finishes current requests and ends streams when it is stopped", async () => {
    const place = workplace();
    const { url, command } = await startServe([], { ...place, env: { ...place.env, APPROVAL: "on" } });
    const { body } = await ask(`${url}/workflows/customer-feedback`, undefined, FEEDBACK);
    const stream = await fetch(`${url}/runs/${String(body["workflow_id"])}/events`);
    const text = stream.text();
    command.kill("SIGTERM");
    expect(await text).toContain("event: accepted");
    expect((await command.ended).code).toBe(0);
  });

  it("stops cleanly if npm passes on the Ctrl-C that the terminal has already sent", async () => {
    const { command } = await startServe([], workplace());
    // Two different signals, because the system would deliver the same one only once.
    command.kill("SIGINT");
    command.kill("SIGTERM");
    expect(await command.ended).toMatchObject({ code: 0, stderr: expect.stringContaining("Stopped.") });
  });

  it("serves only this machine if no tokens are configured, and lets only the holder of the printed token approve", async () => {
    const place = workplace();
    const { url, token, command } = await startServe([], place);
    expect(await ask(`${url}/runs`, undefined)).toMatchObject({ status: 200, body: { runs: [] } });
    expect(await ask(`${url}/approvals`, undefined)).toMatchObject({ status: 401 });
    expect(await ask(`${url}/approvals`, token)).toMatchObject({ status: 200, body: { runs: [] } });
    command.kill("SIGINT");
    expect((await command.ended).code).toBe(0);
    for (const host of ["0.0.0.0", "192.0.2.1", "::"]) {
      expect(await call(["serve", "--host", host, "--port", "0"], place)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("HTTP_TOKENS"),
      });
    }
  });

  it("explains invalid options and settings", async () => {
    const place = workplace();
    const taken = createServer();
    await once(taken.listen(0, "127.0.0.1"), "listening");
    const { port } = taken.address() as AddressInfo;
    expect(await call(["serve", "--port", String(port)], place)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("another program listens there already"),
    });
    taken.close();
    expect(await call(["serve", "--port", "http"], place)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("HTTP_PORT"),
    });
    const env = { ...place.env, HTTP_TOKENS: "ann:approve:short" };
    expect(await call(["serve", "--port", "0"], { ...place, env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("must have 16 to 500 characters"),
    });
    expect(await call(["serve", "--demo", "--data", ":memory:"], place)).toMatchObject({ code: 2 });
  });

  it("serves sample data whose emails wait for approval, and touches none of the user's data", async () => {
    const place = workplace();
    const env = {
      ...place.env,
      MAIL_URL: "smtp://127.0.0.1:1",
      NOTIFY_MAIL: "ops@example.org",
      HTTP_RATE_LIMIT: "77",
      GRAPH_TOOLS: "query",
      RESPONSE_CAP: "",
    };
    const { url, token, command } = await startServe(["--demo"], { ...place, env });
    expect(await (await fetch(`${url}/console/`)).text()).toContain('<meta name="sample"');
    // Which settings count, and which are reported as ignored.
    expect((await fetch(`${url}/workflows/customer-feedback/none`)).headers.get("ratelimit-policy")).toContain("77");
    expect(await ask(`${url}/tools/query_knowledge_graph`, token, { query: "ASK { ?s ?p ?o }" })).toMatchObject({
      status: 200,
    });
    const sample = { ...FEEDBACK, customer_id: "C-1001" };
    const { body } = await ask(`${url}/workflows/customer-feedback`, undefined, sample);
    const approval = `${url}/approvals/${String(body["workflow_id"])}`;
    const { rendering } = (await ask(approval, token)).body;
    expect(await ask(`${approval}/approve`, token, { rendering })).toMatchObject({
      status: 200,
      body: { by: "local" },
    });
    expect((await ask(`${url}/approvals?limit=1`, token)).body["runs"]).toHaveLength(1);
    // The email goes into a folder, whichever mail server the settings name.
    await expect
      .poll(async () => (await ask(`${url}/runs/${String(body["workflow_id"])}`, token)).body["status"])
      .toBe("completed");
    expect(readdirSync(join(place.cwd, ".abi-workflows", "demo-service", "outbox"))).toHaveLength(1);
    command.kill("SIGTERM");
    const { stderr } = await command.ended;
    expect(stderr).toMatch(/ignores these settings: .*MAIL_URL, NOTIFY_MAIL\./);
    expect(stderr).not.toMatch(/HTTP_RATE_LIMIT|GRAPH_TOOLS|RESPONSE_CAP/);
    const { stdout } = await callProcess(
      ["status", "--json", "--data", join(place.cwd, ".abi-workflows", "demo-service")],
      place,
    );
    expect(parseLines(stdout).length).toBeGreaterThan(0);
    expect((await call(["status", "--json"], place)).stdout).not.toContain("workflow-");
  });
});
