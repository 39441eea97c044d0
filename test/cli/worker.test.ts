import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openApplication } from "../../src/application/application.ts";
import { silentLogger } from "../../src/log.ts";
import { readSettings } from "../../src/application/settings.ts";
import { feedback } from "../support/feedback.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serve } from "../support/http.ts";
import { freePort } from "../support/free-port.ts";
import { serverUrl } from "../support/postgres.ts";
import { readMetrics } from "../support/prometheus.ts";
import { canRunRestate, startRestate } from "../support/restate.ts";
import { newDatabase } from "../support/test-database.ts";
import { startSmtpServer } from "../support/smtp.ts";
import { startSparqlEndpoint } from "../support/sparql-endpoint.ts";
import { call, FEEDBACK, RunningCommand, workplace } from "./command-process.ts";

describe("a worker on a data directory", () => {
  it("is the only one there, says when it is ready, and shuts down cleanly when it is stopped", async () => {
    const place = workplace();
    const worker = new RunningCommand(["worker"], place);
    await worker.lines(1);
    const second = await call(["worker"], place);
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr).toContain("is in use by another process");
    worker.kill("SIGTERM");
    const { code, stdout, stderr } = await worker.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Ready: runs are executed until Ctrl-C or SIGTERM.\n" });
    expect(stderr).toContain("Stopped. Unfinished runs continue with the next worker.");
  });

  it("continues runs that an earlier process left, even if WORKER is off for other processes", async () => {
    const place = workplace();
    const env = { ...place.env, LOG_LEVEL: "info", WORKER: "off" };
    const never = await serve(() => {});
    const victim = new RunningCommand(["process", ...FEEDBACK], {
      ...place,
      env: { CUSTOMER_SOURCE: `${never.origin}/{id}` },
    });
    await never.received(1);
    victim.kill("SIGKILL");
    await victim.ended;
    const worker = new RunningCommand(["worker", "--json"], { ...place, env });
    await worker.said("a run is claimed");
    await worker.said("a run has ended");
    worker.kill("SIGINT");
    expect(await worker.ended).toMatchObject({ code: 0, stdout: '{"status":"ready"}\n' });
    const { stdout } = await call(["status", "F-1", "--json"], place);
    expect(JSON.parse(stdout)).toMatchObject({ status: "completed" });
  });
});

describe("a worker with METRICS_PORT", () => {
  const METRICS = { METRICS_PORT: "0" };

  it("serves its metrics and a liveness check on this machine", async () => {
    const place = workplace();
    const worker = new RunningCommand(["worker"], { ...place, env: { ...place.env, ...METRICS } });
    const [, line = ""] = await worker.lines(2);
    const [url = ""] = /http:\/\/127\.0\.0\.1:\d+\/metrics$/.exec(line) ?? [];
    const answer = await fetch(url);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const { value } = readMetrics(await answer.text());
    expect(value("abi_up")).toBe(1);
    expect(value("abi_workflow_runs", { workflow: "customer-feedback", status: "failed" })).toBe(0);
    const { origin } = new URL(url);
    const status = async (path: string, method = "GET") => (await fetch(origin + path, { method })).status;
    expect(await Promise.all(["/livez", "/metrics?x=1", "/", "/constructor"].map((path) => status(path)))).toEqual([
      200, 200, 404, 404,
    ]);
    expect([await status("/metrics", "HEAD"), await status("/metrics", "POST")]).toEqual([200, 405]);
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0 });
  });

  it("prints the address in its JSON, and says what to do if the port is taken", async () => {
    const place = workplace();
    const worker = new RunningCommand(["worker", "--json"], { ...place, env: { ...place.env, ...METRICS } });
    const [line = ""] = await worker.lines(1);
    const { status, metrics_url } = JSON.parse(line) as Record<string, string>;
    expect(status).toBe("ready");
    const other = workplace();
    const env = { ...other.env, METRICS_PORT: new URL(metrics_url!).port };
    const { code, stderr } = await call(["worker"], { ...other, env });
    expect(code).toBe(1);
    expect(stderr).toContain("Set METRICS_PORT and METRICS_HOST to an address of this machine that is free.");
    worker.kill("SIGTERM");
    await worker.ended;
  });

  it("refuses an impossible port", async () => {
    const place = workplace();
    const { code, stderr } = await call(["worker"], { ...place, env: { ...place.env, METRICS_PORT: "65536" } });
    expect(code).toBe(1);
    expect(stderr).toContain("METRICS_PORT (metricsPort) must be at most 65535");
  });
});

describe("a process without a worker", () => {
  it.each([{}, { DATABASE_URL: "postgres://127.0.0.1:1/x" }, { ONTOLOGY_URL: "http://127.0.0.1:1/" }])(
    "says what it must share with a process that has one: %o",
    async (env) => {
      const { code, stderr } = await call(["process", ...FEEDBACK], { ...workplace(), env: { WORKER: "off", ...env } });
      expect(code).toBe(1);
      expect(stderr).toContain("DATABASE_URL and ONTOLOGY_URL must name the database and the graph that both share");
    },
  );
});

describe.skipIf(!serverUrl)("workers on one PostgreSQL server (skipped without TEST_DATABASE_URL)", () => {
  it("continue at once with the runs that a stopped worker gives back, and do nothing twice", async () => {
    const mails = await startSmtpServer();
    const endpoint = await startSparqlEndpoint();
    const release = Promise.withResolvers<void>();
    const asked: string[] = [];
    const customers = await serve(async ({ path, headers }, response) => {
      asked.push(String(headers["authorization"]));
      await release.promise;
      const id = path.slice(1);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ id, name: `Customer ${id}`, email: `${id.toLowerCase()}@example.org` }));
    });
    const shared = {
      DATABASE_URL: await newDatabase(),
      ONTOLOGY_URL: `${endpoint.origin}/sparql`,
      CUSTOMER_SOURCE: `${customers.origin}/{id}`,
      MAIL_URL: mails.url(),
    };
    const cwd = temporaryFolder();
    const workers = await Promise.all(
      ["one", "two"].map(async (name) => {
        const env = { ...shared, CUSTOMER_SOURCE_TOKEN: name };
        const worker = new RunningCommand(["worker", "--data", name], { cwd, env });
        await worker.lines(1);
        return { name, worker };
      }),
    );
    const options = { dataDirectory: join(cwd, "starter"), worker: false };
    const starter = await openApplication(readSettings(options, shared), silentLogger);
    onTestFinished(async () => {
      await starter.close();
      await mails[Symbol.asyncDispose]();
    });

    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const results = Promise.all(
      numbers.map((n) => starter.workflow.run(feedback({ feedback_id: `F-${n}`, customer_id: `C-${n}` }))),
    );
    // As many as may run at a time; one of the two workers may have them all.
    await customers.received(5);
    const { worker: busy, name: busyName } = workers.find(({ name }) => asked[0] === `Bearer ${name}`)!;
    const inHand = customers.requests
      .filter(({ headers }) => headers["authorization"] === `Bearer ${busyName}`)
      .map(({ path }) => path.slice(1));
    const sql = postgres(shared.DATABASE_URL, { max: 1 });
    onTestFinished(() => sql.end());
    const held = () =>
      sql`SELECT id FROM abi_workflows.runs
        WHERE lease_ends_at IS NOT NULL AND input ->> 'customer_id' = ANY(${inHand})`;
    expect(await held()).toHaveLength(inHand.length);
    busy.kill("SIGTERM");
    await busy.said("Finishing the current steps");
    release.resolve();
    expect(await busy.ended).toMatchObject({ code: 0 });
    // Nobody has to wait for its leases to expire.
    expect(await held()).toEqual([]);
    for (const result of await results) expect(result).toMatchObject({ success: true, action: "auto_respond" });
    expect(new Set(asked)).toEqual(new Set(["Bearer one", "Bearer two"]));
    expect(mails.mails.map(({ envelope }) => String(envelope.to[0])).toSorted()).toEqual(
      numbers.map((n) => `c-${n}@example.org`).toSorted(),
    );
    expect(customers.requests).toHaveLength(numbers.length);
    for (const { workflow_id } of await starter.workflow.listWorkflows()) {
      const history = await starter.workflow.getWorkflowHistory(workflow_id);
      expect(new Set(history.map(({ step }) => step)).size).toBe(history.length);
    }
  });

  it("start up even if ten of them start at once on an empty database", async () => {
    const endpoint = await startSparqlEndpoint();
    const env = { DATABASE_URL: await newDatabase(), ONTOLOGY_URL: `${endpoint.origin}/sparql` };
    const cwd = temporaryFolder();
    const workers = Array.from(
      { length: 10 },
      (_, n) => new RunningCommand(["worker", "--data", `w${n}`], { cwd, env }),
    );
    await Promise.all(workers.map((worker) => worker.lines(1)));
    for (const worker of workers) worker.kill("SIGTERM");
    for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
  });

  it("warn if the graph is not shared", async () => {
    const worker = new RunningCommand(["worker"], {
      cwd: temporaryFolder(),
      env: { DATABASE_URL: await newDatabase() },
    });
    await worker.said("Set ONTOLOGY_URL before you start a second process");
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0 });
  });
});

describe.skipIf(!canRunRestate)("commands beside a worker on Restate", () => {
  it("leave the execution to it, and say so if there is none", { timeout: 120_000 }, async () => {
    const server = await startRestate();
    onTestFinished(() => server.destroy());
    const endpoint = await startSparqlEndpoint();
    const listen = `127.0.0.1:${await freePort()}`;
    const { cwd, env: customers } = workplace();
    const env = {
      ...customers,
      DATABASE_URL: server.url,
      RESTATE_ADMIN_URL: server.adminUrl,
      RESTATE_LISTEN: listen,
      ONTOLOGY_URL: `${endpoint.origin}/sparql`,
    };
    const alone = await call(["process", ...FEEDBACK, "--data", "own"], { cwd, env });
    expect(alone).toMatchObject({ code: 1, stdout: expect.stringContaining("Start a worker") });
    const worker = new RunningCommand(["worker", "--data", "worker"], { cwd, env });
    onTestFinished(async () => {
      worker.kill("SIGTERM");
      await worker.ended;
    });
    await worker.lines(1);
    const deployments = async (): Promise<object[]> => {
      const answer = await fetch(`${server.adminUrl}/deployments`);
      return ((await answer.json()) as { deployments: object[] }).deployments;
    };
    await vi.waitFor(async () => expect(await deployments()).toHaveLength(1), 30_000);
    const beside = await call(["process", ...FEEDBACK, "--data", "own"], { cwd, env });
    expect(beside).toMatchObject({ code: 0, stdout: expect.stringContaining("answered by email") });
    // The email is in the worker's outbox.
    expect(beside.stdout).not.toContain("outbox");
    expect(readdirSync(join(cwd, "worker", "outbox"))).toHaveLength(1);
    expect(existsSync(join(cwd, "own"))).toBe(false);
    const file = join(cwd, "batch.jsonl");
    writeFileSync(
      file,
      `${JSON.stringify({ feedback_id: "F-2", customer_id: "C-1", subject: "A", feedback_text: "I love it." })}\n`,
    );
    const batch = await call(["batch", file, "--data", "own"], { cwd, env });
    expect(batch).toMatchObject({ code: 0 });
    expect(batch.stdout).not.toContain("outbox");
    expect(await deployments()).toHaveLength(1);
  });
});
