import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { pino } from "pino";
import postgres from "postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";

async function open(url: string, options: EngineOptions = {}): Promise<DurableEngine> {
  const engine = await DurableEngine.connect(url, options);
  onTestFinished(() => engine.close());
  return engine;
}

/**
 * A session that has run a statement and then stays idle, until the test ends or `end` is called.
 */
async function idleSession(url: string, text: string): Promise<{ end: () => Promise<void> }> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const session = await sql.reserve();
  await session.unsafe(text);
  const end = (): Promise<void> => sql.end({ timeout: 0 });
  onTestFinished(end);
  return { end };
}

const WRITING = "BEGIN; LOCK TABLE abi_workflows.runs IN ROW EXCLUSIVE MODE";
const MIGRATING = "SELECT pg_advisory_lock(hashtextextended('abi-workflows/migrations', 0))";

/** The URL that logs a new role in to a database. The role is dropped after the test. */
async function newRole(url: string): Promise<{ url: string; name: string }> {
  const name = `abi_role_${randomUUID().replaceAll("-", "")}`;
  await statement(url, `CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
  onTestFinished(() => statement(url, `DROP OWNED BY ${name}; DROP ROLE ${name}`));
  const login = new URL(url);
  login.username = name;
  login.password = name;
  return { url: login.href, name };
}

async function executesARun(url: string): Promise<void> {
  const engine = await open(url);
  engine.register("echo", (input, { step }) => step("only", () => input), { concurrency: 2 });
  const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: 7 });
  expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 7 });
}

describe.skipIf(!serverUrl)("opening a PostgreSQL database (skipped without TEST_DATABASE_URL)", () => {
  it.each([
    ["a foreign transaction has written to the runs", WRITING],
    ["another process upgrades the tables", MIGRATING],
  ])("takes no lock if nothing is missing, while %s", async (_, text) => {
    const url = await newDatabase();
    await (await DurableEngine.connect(url)).close();
    await idleSession(url, text);
    await expect(open(url, { worker: false })).resolves.toBeDefined();
    await expect(executesARun(url)).resolves.toBeUndefined();
  });

  it("reports that it can't create tables because of a lock, and creates them once it can", async () => {
    const url = await newDatabase();
    const session = await idleSession(url, MIGRATING);
    const kept = { type: "io_error", code: "engine_unavailable", message: expect.stringContaining("lock") };
    await expect(open(url)).rejects.toMatchObject(kept);
    await session.end();
    await expect(executesARun(url)).resolves.toBeUndefined();
  });

  it("lets a process end that closes at once, while it still connects to listen", async () => {
    const program = join(import.meta.dirname, "../support/closing-process.ts");
    const child = spawn(process.execPath, [program, await newDatabase()]);
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    expect(said.toString()).toBe("closed\n");
    // From here on the process has nothing to do. 30 seconds is the driver's connection timeout.
    const waits = setTimeout(() => child.kill("SIGKILL"), 25_000);
    onTestFinished(() => clearTimeout(waits));
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it.each([
    ["a newer version", 1000],
    ["an earlier build", 1],
  ])("refuses the runs of %s and does not change them", async (writer, version) => {
    const url = await newDatabase();
    await (await DurableEngine.connect(url)).close();
    await statement(url, `UPDATE abi_workflows.migrations SET version = ${version}`);
    await expect(open(url)).rejects.toMatchObject({
      type: "validation_error",
      code: "engine_unreadable",
      message: expect.stringContaining(writer),
    });
    await statement(url, "SELECT FROM abi_workflows.runs");
  });

  it("needs no right to create tables if they exist", async () => {
    const url = await newDatabase();
    await (await DurableEngine.connect(url)).close();
    const role = await newRole(url);
    await statement(
      url,
      `GRANT USAGE ON SCHEMA abi_workflows TO ${role.name};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA abi_workflows TO ${role.name};
       GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA abi_workflows TO ${role.name}`,
    );
    await expect(executesARun(role.url)).resolves.toBeUndefined();
  });

  it("logs that it can't listen, and finds changes by other processes by polling", async () => {
    const url = await newDatabase();
    const starter = await open(url, { worker: false });
    const role = await newRole(url);
    await statement(
      url,
      `GRANT USAGE ON SCHEMA abi_workflows TO ${role.name}; GRANT ALL ON ALL TABLES IN SCHEMA abi_workflows TO ${role.name};
       ALTER ROLE ${role.name} CONNECTION LIMIT 1`,
    );
    const warned: string[] = [];
    const heard = Promise.withResolvers<void>();
    const write = (line: string): void => (warned.push(line), heard.resolve());
    const logger = pino({ level: "warn" }, { write });
    // Its only connection is taken by the time it listens.
    const waiter = await open(role.url, { worker: false, logger });
    await heard.promise;
    expect(warned).toEqual([expect.stringContaining("changes by other processes are found by polling only")]);
    expect(warned[0]).toContain("too many connections");
    const { id } = await starter.start("echo", { key: "k", fingerprint: "f", input: null });
    const waiting = waiter.wait(id);
    await starter.cancel(id);
    expect(await waiting).toMatchObject({ status: "cancelled" });
  });

  it("names the missing rights, whether there are tables or not", async () => {
    const url = await newDatabase();
    const role = await newRole(url);
    const lacking = {
      code: "engine_unavailable",
      message: expect.stringContaining("USAGE on the schema abi_workflows"),
    };
    await expect(open(role.url)).rejects.toMatchObject(lacking);
    await (await DurableEngine.connect(url)).close();
    await expect(open(role.url)).rejects.toMatchObject(lacking);
  });

  it("distinguishes a missing database from a refused login, and keeps the server's error as the cause", async () => {
    const missing = new URL(await newDatabase());
    missing.pathname = "/abi_none";
    await expect(open(missing.href)).rejects.toMatchObject({
      code: "engine_unavailable",
      message: expect.stringContaining("no such database"),
      cause: { code: "3D000" },
    });
    const stranger = new URL(serverUrl!);
    stranger.username = "abi_nobody";
    await expect(open(stranger.href)).rejects.toMatchObject({
      code: "engine_unavailable",
      message: expect.stringContaining("refuses the login"),
      cause: { code: expect.stringMatching(/^28/) },
    });
  });
});

describe("connecting to PostgreSQL", () => {
  it("reports an unreachable server without the password", async () => {
    const connecting = DurableEngine.connect("postgres://me:hunter2@127.0.0.1:1/none");
    await expect(connecting).rejects.toMatchObject({ type: "io_error", code: "engine_unavailable" });
    await expect(connecting).rejects.toThrow(/^(?!.*hunter2).*cannot be reached/);
  });

  it.each(["mysql://x", "postgres://", "postgres:///", "postgres://me:secret@/", "postgres://?sslmode=require"])(
    "refuses %s",
    async (url) => {
      await expect(DurableEngine.connect(url)).rejects.toMatchObject({ code: "invalid_configuration" });
    },
  );
});
