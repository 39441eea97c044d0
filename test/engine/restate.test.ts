import { spawn } from "node:child_process";
import { connect, constants } from "node:http2";
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

describe.skipIf(!canRunRestate)("with a Restate server (skipped where npm has none)", () => {
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
      // Somebody must answer the calls of those who execute nothing. Of several addresses the server takes the latest.
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
      "has no more runs of a workflow at work than it may, in the order in which they came, and others beside them":
        "each run asks for its place by itself, so the requests come in any order; the limit itself is checked below",
      "takes up the highest priority first, and within it what has been due longest":
        "Restate hands runs to workers as they come; the priority counts among those that wait for a slot or a place",
    },
  );

  /** Two workers behind one address, the first of which has the runs at first. */
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

  it("lets one worker finish what another, killed with -9, had begun, and repeats no completed step", async () => {
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

  it("keeps a run that waits for a person when its process is killed with -9", async () => {
    const place = await sharedPlace();
    const { run, steps } = await decideAfterKill(place, () => openEngineAt(place, { which: 1 }));
    expect(run).toMatchObject({ status: "completed", output: "approved", stepsCompleted: ["drafted", "sent"] });
    expect(steps).toEqual(["sent"]);
  });

  it("has no more runs of a workflow at work than it may, in all workers together", async () => {
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

  it("lets each worker reach a workflow's limit by itself where it counts for each process", async () => {
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

  it("goes on when more runs without a limit are due than the server has room for calls", async () => {
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

  it("takes up no room of the server for runs of workflows that no worker knows", async () => {
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

  it("refuses a concurrency for which the server has no room", async () => {
    const tooMany = { code: "invalid_configuration", message: expect.stringContaining("at most 500") };
    await expect(openHere({ concurrency: 501 })).rejects.toMatchObject(tooMany);
    const engine = await openHere();
    const register = () => engine.register("many", async () => null, { concurrency: 501 });
    expect(register).toThrow(expect.objectContaining(tooMany));
  });

  /** Two workers, of which the first was at a step before the second was there. */
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

  it("lets a worker that is added execute runs, too", async () => {
    const { outputsOf } = await addedWorker();
    const outputs: unknown[] = [];
    for (let round = 0; round < 5 && !outputs.includes(1); round++) {
      outputs.push(...(await outputsOf(Array.from({ length: 40 }, (_, n) => `k${round}-${n}`))));
    }
    expect(outputs).toContain(1);
  });

  it("gives nothing more to a worker that was told to stop, and lets it finish its step", async () => {
    const { first, client, id, gate, outputsOf } = await addedWorker();
    const closing = first.close();
    expect(new Set(await outputsOf(Array.from({ length: 10 }, (_, n) => `k${n}`)))).toEqual(new Set([1]));
    gate.resolve();
    await closing;
    expect(await client.wait(id)).toMatchObject({ output: 0, stepsCompleted: ["only"] });
    expect(await client.history(id)).toHaveLength(1);
  });

  it("goes on by itself when the server was killed while a step ran, and repeats no completed step", async () => {
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

  it("fails a step at once and for good whose result is larger than the server takes", async () => {
    const engine = await openHere();
    let attempts = 0;
    engine.register("large", (_, { step }) => step("only", () => (++attempts, "x".repeat(9 * 1024 * 1024))));
    const { id } = await engine.start("large", SUBMISSION);
    expect(await engine.wait(id)).toMatchObject({ status: "failed", error: { error_code: "not_storable" } });
    expect(attempts).toBe(1);
    const starting = engine.start("large", { ...SUBMISSION, key: "input", input: "x".repeat(40 * 1024 * 1024) });
    await expect(starting).rejects.toMatchObject({ code: "not_storable" });
  });

  it("answers nobody but the server that has the key", async () => {
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

  it("says at once where its own address is taken", async () => {
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

  it("are looked up when they are needed: a server that is away is an error that says so", async () => {
    const url = `restate+http://127.0.0.1:${await freePort()}`;
    const engine = await DurableEngine.connect(url, { worker: false });
    onTestFinished(() => engine.close());
    const looking = engine.list();
    await expect(looking).rejects.toBeInstanceOf(IoError);
    await expect(looking).rejects.toThrow(/RESTATE_ADMIN_URL/);
  });
});
