import { spawn } from "node:child_process";
import { connect, constants } from "node:http2";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import type { RunHandler } from "../../src/engine/engine.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import { workflowEngineContract } from "../contract/workflow-engine.ts";
import { openEngineAt, restateLocation } from "../support/engine-at.ts";
import { freePort } from "../support/free-port.ts";
import { canRunRestate, startRestate, type RestateServerProcess } from "../support/restate.ts";
import { startTcpBalancer } from "../support/tcp-balancer.ts";
import { decideAfterKill } from "./waiting.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };

describe.skipIf(!canRunRestate)("with a Restate server (skipped if it is not installed)", () => {
  let server: RestateServerProcess;
  let tests = 0;
  beforeAll(async () => {
    server = await startRestate();
  });
  afterAll(() => server.destroy());

  workflowEngineContract(
    "DurableEngine on Restate",
    () => {
      const namespace = `test-${(tests += 1)}`;
      const url = `${server.url}/${namespace}`;
      const restate = { adminUrl: server.adminUrl, listen: "127.0.0.1:0" };
      const open = (options?: EngineOptions) => DurableEngine.connect(url, { concurrency: 4, restate, ...options });
      // Some worker must answer the calls of processes that execute no runs. If several addresses
      // are registered, the server uses the latest.
      const answering = open().then(async (engine) => {
        engine.startWorker();
        while (!(await fetch(`${server.adminUrl}/services/${namespace}.runs`)).ok) await setImmediate();
        return engine;
      });
      return {
        open: async (options) => {
          await answering;
          return open(options);
        },
        destroy: async () => (await answering).close(),
      };
    },
    {
      "keeps the limit of a workflow, claims its runs in order, and executes other workflows meanwhile":
        "each run requests its slot separately, so the requests arrive in any order; the limit itself is checked below",
      "claims the run with the highest priority first, and among equals the one that has been due longest":
        "Restate hands runs to workers in the order of their arrival; priority only matters among runs that wait for a slot",
    },
  );

  async function queryServer<Row>(query: string): Promise<Row[]> {
    const response = await fetch(`${server.adminUrl}/query`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query }),
    });
    return ((await response.json()) as { rows: Row[] }).rows;
  }

  /** Two workers behind one address; at first, all runs go to the first worker. */
  const sharedPlace = async (): Promise<string> => {
    const ports = [await freePort(), await freePort()];
    const balancer = await startTcpBalancer(ports);
    onTestFinished(() => balancer[Symbol.asyncDispose]());
    return restateLocation(server, `test-${(tests += 1)}`, balancer.url, ports);
  };
  const openHere = async (options: EngineOptions = {}, url = `${server.url}/test-${(tests += 1)}`) => {
    const restate = { adminUrl: server.adminUrl, listen: "127.0.0.1:0" };
    const engine = await DurableEngine.connect(url, { restate, ...options });
    onTestFinished(() => engine.close());
    return engine;
  };

  it("lets one worker finish a run that another, killed with SIGKILL, had begun, and repeats no completed step", async () => {
    const place = await sharedPlace();
    const said: string[] = [];
    const heard = new Map<string, () => void>();
    const hear = (words: string) => new Promise<void>((resolve) => heard.set(words, resolve));
    const worker = (name: string, which: number) => {
      const script = join(import.meta.dirname, "../support/worker-process.ts");
      const child = spawn(process.execPath, [script, place, name, String(which)]);
      onTestFinished(() => void child.kill("SIGKILL"));
      createInterface(child.stdout).on("line", (line) => {
        said.push(line);
        heard.get(line)?.();
      });
      return child;
    };
    const begun = hear("victim second");
    const victim = worker("victim", 0);
    const client = await openEngineAt(place, { worker: false });
    onTestFinished(() => client.close());
    const { id } = await client.start("shared", { ...SUBMISSION, input: { hold: true } });
    await begun;
    worker("heir", 1);
    victim.kill("SIGKILL");
    const run = await client.wait(id);
    expect(run).toMatchObject({ status: "completed", output: "heir", stepsCompleted: ["first", "second"] });
    expect(said.filter((words) => words !== "ready")).toEqual(["victim first", "victim second", "heir second"]);
    expect((await client.history(id)).map(({ step, status }) => `${step} ${status}`)).toEqual([
      "first completed",
      "second died",
      "second completed",
    ]);
  });

  it("keeps a run that waits for a person when its process is killed with SIGKILL", async () => {
    const place = await sharedPlace();
    const { run, steps } = await decideAfterKill(place, () => openEngineAt(place, { which: 1 }));
    expect(run).toMatchObject({ status: "completed", output: "approved", stepsCompleted: ["drafted", "sent"] });
    expect(steps).toEqual(["sent"]);
  });

  it("keeps the limit of a workflow across all workers", async () => {
    const place = await sharedPlace();
    let atWork = 0;
    let most = 0;
    const engines = [await openEngineAt(place, { which: 0 }), await openEngineAt(place, { which: 1 })];
    const executedBy = [0, 0];
    for (const [which, engine] of engines.entries()) {
      onTestFinished(() => engine.close());
      const handler: RunHandler = (_, { step }) =>
        step("only", async () => {
          executedBy[which] = executedBy[which]! + 1;
          most = Math.max(most, ++atWork);
          await setImmediate();
          atWork -= 1;
          return null;
        });
      engine.register("few", handler, { concurrency: 2 });
      engine.startWorker();
    }
    const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
    const started = await Promise.all(keys.map((key) => engines[0]!.start("few", { ...SUBMISSION, key })));
    for (const { id } of started) expect(await engines[0]!.wait(id)).toMatchObject({ status: "completed" });
    expect(most).toBeLessThanOrEqual(2);
    expect(executedBy[0]! + executedBy[1]!).toBe(40);
  });

  it("lets each worker reach a workflow's limit by itself if the limit applies to each process", async () => {
    const place = await sharedPlace();
    const both = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<null>();
    const begun: number[] = [];
    const engines: DurableEngine[] = [];
    for (const which of [0, 1]) {
      const engine = await openEngineAt(place, { which, concurrencyPer: "process" });
      onTestFinished(() => engine.close());
      const handler: RunHandler = (_, { step }) =>
        step("only", () => {
          begun.push(which);
          if (new Set(begun).size === 2) both.resolve();
          return gate.promise;
        });
      engine.register("single", handler, { concurrency: 1 });
      engine.startWorker();
      engines.push(engine);
    }
    const started: { id: string }[] = [];
    for (let n = 0; n < 12; n++) started.push(await engines[0]!.start("single", { ...SUBMISSION, key: `k${n}` }));
    await both.promise;
    expect(new Set(begun)).toEqual(new Set([0, 1]));
    expect(begun).toHaveLength(2);
    gate.resolve(null);
    for (const { id } of started) expect(await engines[0]!.wait(id)).toMatchObject({ status: "completed" });
    expect(begun).toHaveLength(12);
  });

  it("continues if more runs without a limit are due than the server accepts concurrent calls", async () => {
    const own = await startRestate({
      RESTATE_WORKER__INVOKER__CONCURRENT_INVOCATIONS_LIMIT: "280",
      RESTATE_DEFAULT_NUM_PARTITIONS: "1",
    });
    onTestFinished(() => own.destroy());
    const restate = { adminUrl: own.adminUrl, listen: "127.0.0.1:0" };
    const engine = await DurableEngine.connect(own.url, { restate, concurrency: 4 });
    onTestFinished(() => engine.close());
    const accepted = Promise.withResolvers<void>();
    engine.register("any", async () => {
      await accepted.promise;
      return "done";
    });
    const keys = Array.from({ length: 320 }, (_, n) => `k${n}`);
    const started = await Promise.all(keys.map((key) => engine.start("any", { ...SUBMISSION, key })));
    accepted.resolve();
    const runs = await Promise.all(started.map(({ id }) => engine.wait(id)));
    expect(new Set(runs.map(({ output }) => output))).toEqual(new Set(["done"]));
  }, 120_000);

  it("occupies no calls of the server for runs of workflows that no worker knows", async () => {
    const own = await startRestate({
      RESTATE_WORKER__INVOKER__CONCURRENT_INVOCATIONS_LIMIT: "8",
      RESTATE_DEFAULT_NUM_PARTITIONS: "1",
    });
    onTestFinished(() => own.destroy());
    const restate = { adminUrl: own.adminUrl, listen: "127.0.0.1:0" };
    const engine = await DurableEngine.connect(own.url, { restate, concurrency: 2 });
    onTestFinished(() => engine.close());
    engine.register("known", async () => "done");
    const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);
    for (const key of keys) await engine.start("unknown", { ...SUBMISSION, key });
    const { id } = await engine.start("known", SUBMISSION);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "done" });
  });

  it("refuses a concurrency that is too high for the server", async () => {
    const tooMany = { code: "invalid_configuration", message: expect.stringContaining("at most 500") };
    await expect(openHere({ concurrency: 501 })).rejects.toMatchObject(tooMany);
    const engine = await openHere();
    const register = () => engine.register("many", async () => null, { concurrency: 501 });
    expect(register).toThrow(expect.objectContaining(tooMany));
  });

  /** Two workers: the first one was already executing a step when the second was added. */
  const addedWorker = async () => {
    const place = await sharedPlace();
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const open = async (which: number) => {
      const engine = await openEngineAt(place, { which, concurrency: 2 });
      onTestFinished(() => {
        gate.resolve();
        return engine.close();
      });
      engine.register("any", async (input, { step }) =>
        step("only", async () => {
          if (input === "long") {
            begun.resolve();
            await gate.promise;
          } else {
            await setTimeout(20);
          }
          return which;
        }),
      );
      engine.startWorker();
      return engine;
    };
    const first = await open(0);
    const { id } = await first.start("any", { ...SUBMISSION, key: "long", input: "long" });
    await begun.promise;
    await open(1);
    const client = await openEngineAt(place, { worker: false });
    onTestFinished(() => client.close());
    const outputsOf = async (keys: string[]) => {
      const started = await Promise.all(keys.map((key) => client.start("any", { ...SUBMISSION, key })));
      return Promise.all(started.map(async (run) => (await client.wait(run.id)).output));
    };
    return { first, client, id, gate, outputsOf };
  };

  it("lets an added worker execute runs, too", async () => {
    const { outputsOf } = await addedWorker();
    const outputs: unknown[] = [];
    for (let round = 0; round < 5 && !outputs.includes(1); round++) {
      outputs.push(...(await outputsOf(Array.from({ length: 40 }, (_, n) => `k${round}-${n}`))));
    }
    expect(outputs).toContain(1);
  });

  it("gives no more runs to a worker that is stopping, and lets it finish its step", async () => {
    const { first, client, id, gate, outputsOf } = await addedWorker();
    const closing = first.close();
    expect(new Set(await outputsOf(Array.from({ length: 10 }, (_, n) => `k${n}`)))).toEqual(new Set([1]));
    gate.resolve();
    await closing;
    expect(await client.wait(id)).toMatchObject({ output: 0, stepsCompleted: ["only"] });
    expect(await client.history(id)).toHaveLength(1);
  });

  it("continues a run even if its workflow's limit has changed since it began", async () => {
    const own = await startRestate();
    onTestFinished(() => own.destroy());
    const ports = [await freePort(), await freePort()];
    const balancer = await startTcpBalancer(ports);
    onTestFinished(() => balancer[Symbol.asyncDispose]());
    const place = restateLocation(own, "limits", balancer.url, ports);
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const first = await openEngineAt(place, { which: 0 });
    first.register("any", (_, { step }) => step("only", () => (begun.resolve(), gate.promise.then(() => "first"))));
    const { id } = await first.start("any", SUBMISSION);
    await begun.promise;
    await own.kill();
    gate.resolve();
    await first.close();
    const second = await openEngineAt(place, { which: 1 });
    onTestFinished(() => second.close());
    second.register("any", (_, { step }) => step("only", () => "second"), { concurrency: 3 });
    await own.start();
    second.startWorker();
    expect(await second.wait(id)).toMatchObject({ status: "completed", output: "second" });
  });

  /** An engine with a workflow that executes one run at a time, which is held up at `gate` in its only step. */
  const openHeldUp = async () => {
    const url = `${server.url}/test-${(tests += 1)}`;
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<null>();
    const first = await openHere({}, url);
    onTestFinished(() => gate.resolve(null));
    first.register("single", (_, { step }) => step("only", () => (begun.resolve(), gate.promise)), { concurrency: 1 });
    return { url, first, begun, gate };
  };

  /** Kills the call that executes a run in this test's namespace, as an operator of the server can. */
  const killExecution = async (): Promise<void> => {
    const query = `SELECT id FROM sys_invocation WHERE target_service_name = 'test-${tests}.executions' AND status <> 'completed'`;
    const [call] = await queryServer<{ id: string }>(query);
    await fetch(`${server.adminUrl}/invocations/${call!.id}/kill`, { method: "PATCH" });
  };

  it("continues all runs that wait for slots when the limit is lifted", async () => {
    const { url, first, begun, gate } = await openHeldUp();
    const keys = Array.from({ length: 130 }, (_, n) => `k${n}`);
    const started = await Promise.all(keys.map((key) => first.start("single", { ...SUBMISSION, key })));
    await begun.promise;
    const closing = first.close();
    gate.resolve(null);
    await closing;
    const second = await openHere({ concurrencyPer: "process" }, url);
    second.register("single", async () => "done", { concurrency: 4 });
    second.startWorker();
    for (const { id } of started) expect(await second.wait(id)).toMatchObject({ status: "completed" });
  });

  it("executes a run again, and frees its slot, if an operator of the server has killed its call", async () => {
    const { url, first, begun } = await openHeldUp();
    first.startWorker();
    const { id } = await first.start("single", SUBMISSION);
    await begun.promise;
    await killExecution();
    const next = await first.start("single", { ...SUBMISSION, key: "next" });
    const second = await openHere({}, url);
    second.register("single", (_, { step }) => step("only", () => "again"), { concurrency: 1 });
    second.startWorker();
    expect(await second.wait(id)).toMatchObject({ status: "completed", output: "again" });
    expect(await second.wait(next.id)).toMatchObject({ status: "completed", output: "again" });
  });

  it("keeps a workflow's limit if a process that doesn't know the workflow frees a slot", async () => {
    const { url, first, begun } = await openHeldUp();
    first.startWorker();
    const started = [await first.start("single", SUBMISSION)];
    await begun.promise;
    for (const key of ["k1", "k2", "k3"]) started.push(await first.start("single", { ...SUBMISSION, key }));
    await killExecution();
    // A worker looks for killed calls when it starts. The one whose address was registered last answers all calls.
    const other = await openHere({}, url);
    other.startWorker();
    const isHeld = `SELECT service_key FROM state WHERE service_name = 'test-${tests}.runs' AND json_get_str(value_utf8, 'held', 'token') IS NOT NULL`;
    await expect.poll(() => queryServer(isHeld), { timeout: 60_000 }).toEqual([]);
    let atWork = 0;
    let most = 0;
    const second = await openHere({}, url);
    second.register(
      "single",
      (_, { step }) =>
        step("only", async () => {
          most = Math.max(most, ++atWork);
          await setTimeout(20);
          atWork -= 1;
          return null;
        }),
      { concurrency: 1 },
    );
    second.startWorker();
    for (const run of started) expect(await second.wait(run.id)).toMatchObject({ status: "completed" });
    expect(most).toBe(1);
  });

  it("continues at another address if a worker has vanished from its own", async () => {
    const url = `${server.url}/test-${(tests += 1)}`;
    const port = await freePort();
    const address = await startTcpBalancer([port]);
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<string>();
    const restate = { adminUrl: server.adminUrl, workerUrl: address.url, listen: `127.0.0.1:${port}` };
    const vanished = await DurableEngine.connect(url, { restate });
    onTestFinished(() => {
      gate.resolve("vanished");
      return vanished.close();
    });
    vanished.register("mail", (_, { step }) => step("only", () => (begun.resolve(), gate.promise)));
    const { id } = await vanished.start("mail", SUBMISSION);
    await begun.promise;
    await address[Symbol.asyncDispose]();
    const statusOf = async () => {
      const query = `SELECT status FROM sys_invocation WHERE target_service_name = 'test-${tests}.executions'`;
      return (await queryServer<{ status: string }>(query))[0]?.status;
    };
    await expect.poll(statusOf, { timeout: 30_000 }).toBe("backing-off");
    const other = await openHere({}, url);
    other.register("mail", (_, { step }) => step("only", () => "other"));
    other.startWorker();
    expect(await other.wait(id)).toMatchObject({ status: "completed", output: "other" });
  }, 60_000);

  it("can't cancel a run while there is no worker, and doesn't cancel it later either", async () => {
    const url = `${server.url}/test-${(tests += 1)}`;
    const open = async () => {
      const engine = await openHere({}, url);
      engine.register("waiting", async (_, { decision }) => (await decision("ok")).value);
      engine.startWorker();
      return engine;
    };
    const first = await open();
    const { id } = await first.start("waiting", SUBMISSION);
    expect(await first.wait(id)).toMatchObject({ status: "waiting_for_approval" });
    await first.close();
    const client = await openHere({ worker: false }, url);
    expect(await client.find("waiting", "nobody")).toBeUndefined();
    await expect(client.cancel(id)).rejects.toMatchObject({ code: "engine_unavailable" });
    const second = await open();
    // Calls for one run are answered in order.
    await expect.poll(() => client.retry(id).catch(() => undefined)).toBe(false);
    expect(await second.get(id)).toMatchObject({ status: "waiting_for_approval" });
  });

  it("queries single runs so that the server reads only one partition, and sends its token", async () => {
    const queries: string[] = [];
    const tokens = new Set<string | undefined>();
    const forward = async (request: IncomingMessage, response: ServerResponse) => {
      tokens.add(request.headers.authorization);
      const body = Buffer.concat(await request.toArray());
      if (request.url === "/query") queries.push((JSON.parse(body.toString()) as { query: string }).query);
      const { method = "" } = request;
      const headers = { "content-type": "application/json", accept: "application/json" };
      const sent = method === "GET" ? { headers } : { method, headers, body };
      const answer = await fetch(`${server.adminUrl}${request.url}`, sent);
      response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
    };
    const admin = createServer((request, response) => void forward(request, response));
    await once(admin.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void admin.close());
    const adminUrl = `http://127.0.0.1:${(admin.address() as AddressInfo).port}`;
    const worker = await openHere();
    const url = `${server.url}/test-${tests}`;
    worker.register("any", async () => "done");
    const { id } = await worker.start("any", SUBMISSION);
    await worker.wait(id);
    const client = await DurableEngine.connect(url, { worker: false, restate: { adminUrl, token: "s3cret" } });
    onTestFinished(() => client.close());
    expect(await client.get(id)).toMatchObject({ status: "completed" });
    expect(await client.retry(id)).toBe(false);
    expect(queries.length).toBeGreaterThan(1);
    const explained = await Promise.all(
      queries.map((query) =>
        fetch(`${adminUrl}/query`, { method: "POST", body: JSON.stringify({ query: `EXPLAIN ${query}` }) }),
      ),
    );
    for (const plan of explained) expect(await plan.text()).toContain("partitions=1,");
    expect(await client.get("workflow-nonsense")).toBeUndefined();
    expect(tokens).toContain("Bearer s3cret");
  });

  it("continues automatically after the server was killed during a step, and repeats no completed step", async () => {
    const own = await startRestate();
    onTestFinished(() => own.destroy());
    const restate = { adminUrl: own.adminUrl, listen: "127.0.0.1:0" };
    const engine = await DurableEngine.connect(own.url, { restate });
    onTestFinished(() => engine.close());
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const counts = { first: 0, second: 0 };
    engine.register("mail", async (_, { step }) => {
      await step("first", () => ++counts.first);
      await step("second", async () => {
        counts.second += 1;
        begun.resolve();
        await gate.promise;
      });
      return "done";
    });
    const { id } = await engine.start("mail", SUBMISSION);
    await begun.promise;
    await own.kill();
    await expect(engine.get(id)).rejects.toMatchObject({ code: "engine_unavailable", retriable: true });
    await own.start();
    gate.resolve();
    expect(await engine.wait(id)).toMatchObject({ status: "completed", stepsCompleted: ["first", "second"] });
    expect(counts.first).toBe(1);
  });

  it("permanently fails a step at once if its result is too large for the server", async () => {
    const engine = await openHere();
    let attempts = 0;
    engine.register("large", (_, { step }) => step("only", () => (++attempts, "x".repeat(9 * 1024 * 1024))));
    const { id } = await engine.start("large", SUBMISSION);
    expect(await engine.wait(id)).toMatchObject({ status: "failed", error: { error_code: "not_storable" } });
    expect(attempts).toBe(1);
    for (const mega of [9, 40]) {
      const starting = engine.start("large", { ...SUBMISSION, key: "input", input: "x".repeat(mega * 1024 * 1024) });
      await expect(starting).rejects.toMatchObject({ code: "not_storable" });
    }
  });

  it("refuses data that would make a run too large to continue, and does not affect other runs", async () => {
    const engine = await openHere();
    const large = "x".repeat(7 * 1024 * 1024);
    engine.register("growing", async (_, { step, decision }) => {
      for (const name of ["a", "b", "c", "d", "e"]) await step(name, () => large);
      return (await decision("more")).value;
    });
    engine.register("deciding", async (_, { decision }) => {
      const first = (await decision("first")).value;
      return [first, (await decision("second")).value].map((value) => (value as string).length);
    });
    const { id } = await engine.start("growing", { ...SUBMISSION, input: large });
    expect(await engine.wait(id)).toMatchObject({
      status: "failed",
      stepsCompleted: ["a", "b"],
      error: { error_code: "not_storable" },
    });
    const deciding = await engine.start("deciding", { ...SUBMISSION, input: large });
    await engine.wait(deciding.id);
    const refused = { code: "not_storable" };
    await expect(engine.decide(deciding.id, "first", large + large)).rejects.toMatchObject(refused);
    await engine.decide(deciding.id, "first", large);
    await expect.poll(() => engine.get(deciding.id)).toMatchObject({ waitingFor: { subject: "second" } });
    await expect(engine.decide(deciding.id, "second", large)).rejects.toMatchObject(refused);
    await engine.decide(deciding.id, "second", "small");
    expect(await engine.wait(deciding.id)).toMatchObject({ status: "completed", output: [large.length, 5] });
  });

  it("lets a run end even if its follower is too large to be started", async () => {
    const engine = await openHere();
    engine.register("leading", async () => "done");
    engine.follow(({ workflow }) =>
      workflow === "leading"
        ? { ...SUBMISSION, workflow: "following", key: "follower", input: "x".repeat(9 * 1024 * 1024) }
        : undefined,
    );
    const { id } = await engine.start("leading", SUBMISSION);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "done" });
  });

  it("answers only the server that has the key", async () => {
    const url = `${server.url}/test-${(tests += 1)}`;
    const listen = `127.0.0.1:${await freePort()}`;
    const identityKey = "publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f";
    const engine = await DurableEngine.connect(url, { restate: { adminUrl: server.adminUrl, listen, identityKey } });
    onTestFinished(() => engine.close());
    engine.startWorker();
    const client = connect(`http://${listen}`);
    onTestFinished(() => client.close());
    const status = async () => {
      const request = client.request({ [constants.HTTP2_HEADER_PATH]: "/discover" });
      request.end();
      const [headers] = (await once(request, "response")) as [Record<string, unknown>];
      request.resume();
      return headers[constants.HTTP2_HEADER_STATUS];
    };
    await expect.poll(status).toBe(401);
  });

  it("reports at once that its own address is taken", async () => {
    const port = await freePort();
    const restate = { adminUrl: server.adminUrl, listen: `127.0.0.1:${port}` };
    const first = await DurableEngine.connect(`${server.url}/test`, { restate });
    onTestFinished(() => first.close());
    const second = DurableEngine.connect(`${server.url}/test`, { restate });
    await expect(second).rejects.toMatchObject({ code: "in_use", message: expect.stringContaining("RESTATE_LISTEN") });
  });
});

describe("the addresses of a Restate server", () => {
  it.each([
    ["restate+http://localhost:8080/two/parts", {}, "restate+http://host:8080"],
    ["restate+http://", {}, "restate+http://host:8080"],
    ["restate+http://user:secret@localhost:8080", {}, "RESTATE_TOKEN"],
    ["restate+http://localhost:8080", { adminUrl: "http://user:secret@localhost:9070" }, "RESTATE_ADMIN_URL"],
    ["restate+http://localhost:8080", { adminUrl: "localhost:9070" }, "RESTATE_ADMIN_URL"],
    ["restate+http://localhost:8080", { workerUrl: "ftp://localhost" }, "RESTATE_WORKER_URL"],
    ["restate+http://localhost:8080", { workerUrl: "nonsense" }, "RESTATE_WORKER_URL"],
    ["restate+http://localhost:8080", { listen: "9080" }, "RESTATE_LISTEN"],
    ["restate+http://localhost:8080", { listen: "0.0.0.0:9080" }, "RESTATE_IDENTITY_KEY"],
  ])("refuses %s with %j, and says what to do", async (url, restate, words) => {
    const opening = DurableEngine.connect(url, { restate });
    await expect(opening).rejects.toBeInstanceOf(ValidationError);
    await expect(opening).rejects.toMatchObject({
      code: "invalid_configuration",
      message: expect.stringContaining(words),
    });
  });

  it("are contacted only when needed, and an unavailable server is reported", async () => {
    const url = `restate+http://127.0.0.1:${await freePort()}`;
    const engine = await DurableEngine.connect(url, { worker: false });
    onTestFinished(() => engine.close());
    const looking = engine.list();
    await expect(looking).rejects.toBeInstanceOf(IoError);
    await expect(looking).rejects.toThrow(/RESTATE_ADMIN_URL/);
  });
});
