import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import { canRunPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";

/**
 * Defaults that a database may have without breaking us: none of them affects how we read and
 * write.
 */
const HOSTILE = {
  datestyle: "'SQL, DMY'",
  timezone: "'Asia/Kolkata'",
  intervalstyle: "'sql_standard'",
  standard_conforming_strings: "off",
  client_encoding: "'LATIN1'",
  search_path: "'hostile', 'pg_catalog'",
  default_transaction_isolation: "'serializable'",
  statement_timeout: "'1ms'",
  lock_timeout: "'1ms'",
  idle_in_transaction_session_timeout: "'1ms'",
  idle_session_timeout: "'1ms'",
  extra_float_digits: "-15",
  bytea_output: "'escape'",
  transform_null_equals: "on",
  array_nulls: "off",
  row_security: "off",
};

const VALUES_ONLY = ["datestyle", "timezone", "intervalstyle", "standard_conforming_strings", "client_encoding"];

/** Makes these settings the defaults of a database. */
async function makeHostile(url: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await statement(
    url,
    `CREATE SCHEMA hostile;
     CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '1999-01-01' $$;
     ${Object.entries(settings)
       .map(([setting, value]) => `ALTER DATABASE ${name} SET ${setting} = ${value};`)
       .join("\n")}`,
  );
}

async function open(url: string, options: EngineOptions = {}): Promise<DurableEngine> {
  const engine = await DurableEngine.connect(url, options);
  onTestFinished(() => engine.close());
  return engine;
}

async function executesARun(url: string): Promise<{ engine: DurableEngine; id: string }> {
  const engine = await open(url);
  engine.register("echo", (input, { step }) => step("only", () => input));
  engine.register("asked", async (_, { decision }) => (await decision("draft")).value);
  const before = Date.now();
  const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: "ümlaut \\ 日本" });
  expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "ümlaut \\ 日本" });
  const [run, [attempt]] = [await engine.get(id), await engine.history(id)];
  for (const time of [run?.startTime, run?.endTime, attempt?.startTime, attempt?.endTime]) {
    // To the second: clocks of two machines differ.
    expect(Math.abs((time?.getTime() ?? 0) - before)).toBeLessThan(3_600_000);
  }
  return { engine, id };
}

describe.skipIf(!serverUrl)("with a PostgreSQL server (skipped without TEST_DATABASE_URL)", () => {
  it("works, and reads times correctly, with the most hostile defaults of the database", async () => {
    const url = await newDatabase();
    await makeHostile(url, HOSTILE);
    const { engine, id } = await executesARun(url);
    const input = { key: "asked", fingerprint: "f", input: { customer_id: "C-1" } };
    const { id: asked } = await engine.start("asked", input);
    await expect.poll(async () => (await engine.get(asked))?.status).toBe("waiting_for_approval");
    expect((await engine.decide(asked, "draft", "yes")).time.getFullYear()).toBe(new Date().getFullYear());
    expect(await engine.wait(asked)).toMatchObject({ status: "completed", output: "yes" });
    const hour = 3_600_000;
    const [since, before] = [new Date(Date.now() - hour), new Date(Date.now() + hour)];
    const found = await engine.list({ startedSince: since, startedBefore: before });
    expect(found.map((run) => run.id)).toEqual([asked, id]);
    expect(await engine.list({ startedSince: before })).toEqual([]);
  });

  it.each(["'SQL, DMY'", "'German'", "'Postgres, MDY'", "'SQL, MDY'"])(
    "reads times correctly if DateStyle is %s",
    async (style) => {
      const url = await newDatabase();
      await makeHostile(url, { datestyle: style, timezone: "'America/St_Johns'" });
      await expect(executesARun(url)).resolves.toBeDefined();
    },
  );

  it("reads times correctly whatever the URL sets", async () => {
    const url = `${await newDatabase()}?datestyle=German&TimeZone=Asia%2FTokyo&client_encoding=LATIN1`;
    await expect(executesARun(url)).resolves.toBeDefined();
  });

  it.each(["sslmode=prefer", "target_session_attrs=read-write&application_name=ours", "connect_timeout=5"])(
    "works with %s in the URL",
    async (parameters) => {
      await expect(executesARun(`${await newDatabase()}?${parameters}`)).resolves.toBeDefined();
    },
  );

  it("connects to the next host if the first is unavailable", async () => {
    const { username, password, hostname, port, pathname } = new URL(await newDatabase());
    const login = password === "" ? username : `${username}:${password}`;
    const hosts = `127.0.0.1:1,${hostname}:${port || "5432"}`;
    await expect(executesARun(`postgres://${login}@${hosts}${pathname}`)).resolves.toBeDefined();
  });

  it("keeps the time limits that the URL sets", async () => {
    const opening = open(`${await newDatabase()}?statement_timeout=none`);
    await expect(opening).rejects.toThrow(/"statement_timeout": "none".*remove/);
  });

  it("warns if the database's defaults can lose accepted runs, or its encoding lacks characters", async () => {
    const url = await newDatabase("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    await makeHostile(url, { synchronous_commit: "off" });
    const warned: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => void warned.push(line) });
    await open(url, { worker: false, logger });
    expect(warned).toEqual([expect.stringContaining("LATIN1"), expect.stringContaining("synchronous_commit")]);
  });

  describe.skipIf(!canRunPgBouncer)("behind PgBouncer (skipped if it is not installed)", () => {
    it("works in session mode, and reads times correctly there", async () => {
      const url = await newDatabase();
      await makeHostile(
        url,
        Object.fromEntries(VALUES_ONLY.map((name) => [name, HOSTILE[name as keyof typeof HOSTILE]])),
      );
      await expect(executesARun(await startPgBouncer(url, "pool_mode = session"))).resolves.toBeDefined();
    });

    it("sets up its sessions even if the pooler silently drops start options", async () => {
      const url = await newDatabase();
      await makeHostile(url, { search_path: HOSTILE.search_path, default_transaction_isolation: "'serializable'" });
      const pooled = await startPgBouncer(url, "pool_mode = session", "ignore_startup_parameters = options");
      await expect(executesARun(pooled)).resolves.toBeDefined();
    });

    it.each(["transaction", "statement"])("refuses %s mode at once, and says what would work", async (mode) => {
      const url = await startPgBouncer(await newDatabase(), `pool_mode = ${mode}`);
      for (const worker of [true, false]) {
        await expect(open(url, { worker })).rejects.toMatchObject({
          type: "io_error",
          code: "engine_unavailable",
          message: expect.stringMatching(/transaction mode.*session mode/) as string,
        });
      }
    });

    it("detects transaction mode even if the pooler silently drops start options", async () => {
      const url = await startPgBouncer(
        await newDatabase(),
        "pool_mode = transaction",
        "ignore_startup_parameters = options",
      );
      await expect(open(url)).rejects.toThrow("transaction mode");
    });

    it.each([
      [
        "a parameter that it does not know",
        "pool_mode = session",
        "?channel_binding=require",
        /channel_binding.*remove/,
      ],
      ["a user that it does not know", "auth_type = md5", "", /pooler.*authentication failed/],
      ["too many of us", "max_client_conn = 0", "", /pooler.*more connections|no more connections/],
    ])("passes on PgBouncer's message about %s", async (_case, setting, parameters, words) => {
      const url = new URL(`${await startPgBouncer(await newDatabase(), setting)}${parameters}`);
      if (setting.startsWith("auth_type")) Object.assign(url, { username: "stranger", password: "hunter2" });
      const failed: unknown = await open(url.href).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: "engine_unavailable", message: expect.stringMatching(words) as string });
      expect((failed as Error).message).not.toMatch(/hunter2|disk|log has/);
    });

    it("passes on PgBouncer's message about an unavailable server", async () => {
      const url = await startPgBouncer("postgres://postgres@127.0.0.1:1/none");
      await expect(open(`${url}?connect_timeout=3`)).rejects.toThrow(/pooler/);
    });
  });
});

const says = (words: RegExp) => ({
  type: "io_error",
  code: "engine_unavailable",
  message: expect.stringMatching(words) as string,
});

/** The error must contain no secret, mention no log that says nothing, and blame nothing that is not at fault. */
async function failureOf(url: string, options: EngineOptions = {}): Promise<Error> {
  const failure: unknown = await open(url, options).catch((error: unknown) => error);
  expect((failure as Error).message).not.toMatch(/hunter2|log has|disk|our side/);
  return failure as Error;
}

describe.skipIf(!serverUrl)("opening errors on a PostgreSQL server (skipped without TEST_DATABASE_URL)", () => {
  it.each([
    ["channel_binding=require", /"channel_binding".*42704.*\(channel_binding\): remove/],
    ["schema=public&pgbouncer=true", /\(schema, pgbouncer\): remove/],
    ["statement_timeout=soon", /"soon".*remove/],
    ["sslmode=require", /TLS/],
    ["target_session_attrs=standby", /target_session_attrs/],
  ])("names %s in the URL", async (parameters, words) => {
    expect(await failureOf(`${await newDatabase()}?${parameters}`)).toMatchObject(says(words));
  });

  it("refuses a read-only database to a worker, and lets other processes read it", async () => {
    const url = await newDatabase();
    expect(await failureOf(`${url}?default_transaction_read_only=on`)).toMatchObject(says(/is read-only.*standby/));
    await (await DurableEngine.connect(url)).close();
    expect(await failureOf(`${url}?default_transaction_read_only=on`)).toMatchObject(says(/is read-only.*standby/));
    const engine = await open(`${url}?default_transaction_read_only=on`, { worker: false });
    expect(await engine.list()).toEqual([]);
  });

  it("quotes the server if it has no better advice", async () => {
    const url = await newDatabase();
    await statement(serverUrl!, `ALTER DATABASE ${new URL(url).pathname.slice(1)} ALLOW_CONNECTIONS false`);
    expect(await failureOf(url)).toMatchObject(says(/not currently accepting connections \(SQLSTATE 55000\)/));
  });
});

describe("opening errors without a PostgreSQL server", () => {
  it.each([
    ["an unknown host", "postgres://me:hunter2@no-such-host.invalid/runs", /no such host/],
    ["an address where nothing listens", "postgres://me:hunter2@127.0.0.1:1/runs", /nothing listens there/],
  ])("name the reason: %s", async (_case, url, words) => {
    expect(await failureOf(url)).toMatchObject(says(words));
  });

  it("name the reason: another kind of server", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await failureOf(`postgres://me:hunter2@127.0.0.1:${port}/runs?connect_timeout=1`)).toMatchObject(
      says(/host and port.* are those of a PostgreSQL server/),
    );
  });

  it.each([
    "postgres://me:hunter2%@127.0.0.1/runs",
    "postgres://me:hunter2@127.0.0.1:99999/runs",
    "postgres://me:hunter2@[::1/runs",
    "postgres://me:hunter2@127.0.0.1/runs?target_session_attrs=some",
    "postgres://me:hunter2@127.0.0.1/runs?target_session_attrs=constructor",
    "postgres://me:hunter2@127.0.0.1/runs?sslmode=verfy-full",
  ])("include an invalid URL: %s", async (url) => {
    expect(await failureOf(url)).toMatchObject({
      type: "validation_error",
      code: "invalid_configuration",
      message: expect.stringContaining("DATABASE_URL") as string,
    });
  });
});
