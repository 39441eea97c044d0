import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isClean, tally, tallyTable, type Tally } from "../../testing/index.ts";
import { PREFIXES } from "../../src/index.ts";
import { select } from "../../src/ontology/queries.ts";
import { freePort } from "../support/free-port.ts";
import { startSmtpServer, type SmtpTestServer } from "../support/smtp.ts";
import { CONNECTIONS, isAnswered, keepBusy, Promises, TOKEN } from "./clients.ts";
import { editedText, customersCsv, numberOf } from "./items.ts";
import { openGraph } from "./place.ts";
import { receipt, runsOf } from "./trial.ts";

export interface TrafficRunOptions {
  /** For how long feedback is submitted and the service is killed. */
  seconds: number;
  say: (line: string) => void;
}

const COMMAND = fileURLToPath(new URL("../../bin/abi-workflows.js", import.meta.url));
/** The service's minimum lifetime once it listens. Milliseconds. */
const SHORTEST_LIFE_MS = 1500;
const LONGEST_LIFE_MS = 4500;
/**
 * The minimum number of promises in a life: on a busy machine, the service would otherwise be
 * killed before it has done anything.
 */
const FEWEST_PROMISES = 5;
const MOST_PROMISES = 100;
/** Anything that is not done this long after the last kill is stuck. Milliseconds. */
const LONGEST_REST_MS = 600_000;

/**
 * Runs the service with 64 concurrent clients and `kill -9`; reports the outcome of everything that
 * it acknowledged, and returns whether all is well.
 */
export async function trafficRun({ seconds, say }: TrafficRunOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "abi-workflows-traffic-"));
  try {
    await using smtp = await startSmtpServer();
    return await trafficIn(folder, smtp, seconds, say);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function trafficIn(
  folder: string,
  smtp: SmtpTestServer,
  seconds: number,
  say: (line: string) => void,
): Promise<boolean> {
  say(`${CONNECTIONS} connections of mixed traffic for ${seconds} s, with kill -9`);
  const service = new KilledService(folder, await freePort(), smtp.url());
  const promises = new Promises();
  const [submitting, all] = [new AbortController(), new AbortController()];
  const begin = Date.now();
  await service.start();
  const busy = keepBusy(service.port, promises, { submitting: submitting.signal, all: all.signal });
  await Promise.race([service.killUntil(begin + seconds * 1000, promises), busy]);
  const underFire = Math.round((Date.now() - begin) / 1000);
  submitting.abort();
  const isDone = await allDone(promises, service);
  all.abort();
  await busy;
  await service.stop();

  const { submitted, decided, requests, streams, resumed, broken, faults } = promises;
  const tallies = await talliesOf(folder, smtp, promises);
  const ways = Object.entries(Object.groupBy(submitted.values(), (way) => way));
  say(`requests: ${[...requests].map(([kind, count]) => `${count} ${kind}`).join(", ")}; ${broken} broken off`);
  say(`acknowledged: ${ways.map(([way, ids]) => `${ids?.length} by ${way}`).join(", ")}, ${decided.size} decisions`);
  say(`streams followed to their end: ${streams}, begun again ${resumed} times`);
  say(`kills: ${service.kills} in ${underFire} s`);
  say(tallyTable(tallies));
  const problems = [
    ...tallies.filter((one) => !isClean(one)).map((one) => JSON.stringify(one).slice(0, 2000)),
    ...faults.slice(0, 20),
    ...(isDone ? [] : ["something was stuck when all the rest was done"]),
    ...wrongWords(smtp, promises),
    ...(service.kills === 0 || decided.size === 0 || streams === 0 ? ["too little happened to show anything"] : []),
  ];
  for (const fault of problems) say(fault);
  say(problems.length === 0 ? "clean" : "NOT CLEAN");
  return problems.length === 0;
}

/** `abi-workflows serve`, in one process after the other, on the same files and port. */
class KilledService {
  readonly port: number;
  kills = 0;
  readonly #args: readonly string[];
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;

  constructor(folder: string, port: number, mailUrl: string) {
    writeFileSync(join(folder, "customers.csv"), customersCsv());
    this.port = port;
    this.#args = [COMMAND, "serve", "--json", "--port", String(port), "--data", folder];
    this.#env = {
      PATH: process.env["PATH"] ?? "",
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
      CUSTOMER_SOURCE: join(folder, "customers.csv"),
      MAIL_URL: mailUrl,
      // Without a name, which mail programs write in different ways, because the rendering depends
      // on it.
      MAIL_FROM: "care@shop.example",
      APPROVAL: "on",
      RESPONSE_CAP: "1000000",
      HTTP_RATE_LIMIT: "0",
      HTTP_TOKENS: `everybody:feedback:read+feedback:write+approve+admin:${TOKEN}`,
      // The steps do not end the process, so a step that is running then must not be given up.
      RETRY_ATTEMPTS: "1000",
      RETRY_DELAY_MS: "10",
      MAX_PARALLEL_REQUESTS: "50",
    };
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, this.#args, { env: this.#env, stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, "line"), once(child, "exit")])) as [unknown];
    if (typeof line !== "string") throw new Error("The service has ended before it was ready.");
  }

  /** The service is always up again when this resolves. */
  async killUntil(end: number, promises: Promises): Promise<void> {
    while (Date.now() < end) {
      const enough = promises.count + between(FEWEST_PROMISES, MOST_PROMISES);
      await sleep(between(SHORTEST_LIFE_MS, LONGEST_LIFE_MS));
      while (promises.count < enough && Date.now() < end) await sleep(50);
      await this.#end("SIGKILL");
      this.kills += 1;
      await this.start();
    }
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null) throw new Error(`The service has ended by itself (${child?.exitCode}).`);
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}

const between = (least: number, most: number): number => least + Math.random() * (most - least);

/** Whether everything that was acknowledged has ended. */
async function allDone(promises: Promises, service: KilledService): Promise<boolean> {
  const end = Date.now() + LONGEST_REST_MS;
  const isAtRest = async (): Promise<boolean> => {
    const url = (status: string): string => `http://127.0.0.1:${service.port}/runs?limit=1&status=${status}`;
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const status of ["started", "processing", "waiting_for_approval"]) {
      const { runs } = (await (await fetch(url(status), { headers })).json()) as { runs: unknown[] };
      if (runs.length > 0) return false;
    }
    return promises.responses.size === promises.decided.size;
  };
  while (Date.now() < end) {
    if (await isAtRest()) return true;
    await sleep(500);
  }
  return false;
}

async function talliesOf(folder: string, smtp: SmtpTestServer, promises: Promises): Promise<Tally[]> {
  const { submitted, decided, responses } = promises;
  const agreed = [...decided].filter(([, { decision }]) => decision !== "reject").map(([id]) => id);
  const { completed, windows } = await runsOf(join(folder, "data.sqlite"), submitted.size + 1000);
  const mails = smtp.mails.map(receipt);
  const once = (keys: readonly string[]) => keys.map((key) => ({ key, identity: key }));
  const graph = await openGraph(join(folder, "data.sqlite"));
  const valuesOf = async (pattern: string): Promise<string[]> => {
    const rows = await select(graph, "feedback_data", `${PREFIXES} SELECT ?value WHERE { ${pattern} }`);
    return rows.map(({ value }) => value!.value);
  };
  try {
    return [
      tally({ name: "runs completed", expected: submitted.keys(), received: once(completed) }),
      tally({
        name: "feedback in the graph",
        expected: submitted.keys(),
        received: once(await valuesOf("?feedback a abi:Feedback ; abi:id ?value")),
      }),
      tally({
        name: "decisions",
        expected: [...submitted.keys()].filter((id) => isAnswered(numberOf(id))),
        received: once([...decided.keys()]),
      }),
      tally({ name: "emails agreed to", expected: agreed, received: mails, windows }),
      tally({
        name: "answers noted",
        expected: responses.values(),
        received: once(await valuesOf("?feedback abi:hasResponse ?response . ?response abi:text ?value")),
      }),
    ];
  } finally {
    await graph.close();
  }
}

/** Emails that differ from what a person approved. */
function wrongWords(smtp: SmtpTestServer, { decided }: Promises): string[] {
  return smtp.mails.map(receipt).flatMap(({ key, text, rendering }) => {
    const agreed = decided.get(key);
    if (agreed?.decision === "edit") return text === editedText(key) ? [] : [`other words: ${key}`];
    return agreed?.decision === "approve" && agreed.rendering !== rendering ? [`another mail: ${key}`] : [];
  });
}
