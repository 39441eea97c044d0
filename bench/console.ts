// The first page of the inbox with little and with much feedback: the answer of the API, and the
// time until a browser shows the rows.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext } from "playwright-core";
import { openHttpService } from "../src/application/http-service.ts";
import { openSqlite } from "../src/files/sqlite.ts";
import { openApplication, readSettings } from "../src/index.ts";
import { chromiumPath } from "../test/support/chromium.ts";
import type { Bench } from "./support/bench.ts";
import { feedback, writeCustomers } from "./support/feedback.ts";
import { figure, quantile, table } from "./support/measure.ts";

export const about =
  "first page of the inbox with 1,000 and 100,000 pieces of feedback (or --items): the API, and rows in Chromium";

const SIZES = [1000, 100_000];
/** Pieces of feedback that the workflow itself processes; the others are copies in the database. */
const ORIGINALS = 20;
const MINUTE_MS = 60_000;
const TOKEN = "bench-0123456789abcdef";
const LIST = "/workflows/customer-feedback/operations/list_feedback";
/** Calls in each round. */
const CALLS = 50;
const VISITS = 5;

interface Figures {
  api: number[];
  /** An empty page of the same server, in the same browser; no page can be faster. */
  emptyPage: number[];
  firstVisit: number[];
  nextVisit: number[];
}

export async function run(bench: Bench): Promise<void> {
  const { items, rounds } = bench.options;
  const sizes = items === undefined ? SIZES : [items];
  const browser =
    chromiumPath === undefined
      ? undefined
      : await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
  const all = new Map<number, Figures>();
  try {
    const folders = new Map<number, string>();
    for (const size of sizes) {
      bench.progress(`storing ${size} pieces of feedback`);
      folders.set(size, await fill(bench, size));
      all.set(size, { api: [], emptyPage: [], firstVisit: [], nextVisit: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const size of sizes) {
        bench.progress(`round ${round + 1} of ${rounds}: ${size} pieces of feedback`);
        await measure(folders.get(size)!, browser, all.get(size)!);
      }
    }
  } finally {
    await browser?.close();
  }
  bench.progress("");
  const shown = (times: readonly number[], at?: number): string =>
    times.length === 0 ? "no Chromium" : figure(quantile(times, at));
  const rows = sizes.map((size) => {
    const { api, emptyPage, firstVisit, nextVisit } = all.get(size)!;
    return [
      size.toLocaleString("en"),
      shown(api),
      shown(api, 0.99),
      shown(emptyPage),
      shown(firstVisit),
      shown(nextVisit),
    ];
  });
  const heads = [
    "feedback",
    "API p50 ms",
    "API p99 ms",
    "an empty page ms",
    "rows, first visit ms",
    "rows, next visit ms",
  ];
  console.log(`\n${table(heads, rows)}`);
}

/** Creates a data directory with this many completed runs, one a minute; returns its parent. */
async function fill(bench: Bench, size: number): Promise<string> {
  const folder = mkdtempSync(join(bench.folder, "console-"));
  const application = await openApplication(settingsOf(folder, writeCustomers(folder)));
  await application.customerDataPipeline.loadAll();
  for (let n = 0; n < ORIGINALS; n++) await application.workflow.run(feedback(n));
  await application.close();
  using database = openSqlite(join(folder, "data", "data.sqlite"));
  const copies = "WITH RECURSIVE copies (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copies WHERE n < :last)";
  const last = Math.ceil(size / ORIGINALS) - 1;
  database.exec("BEGIN");
  database
    .prepare(
      `${copies} INSERT INTO events (run, n, type, time, name, is_listed, value, error, is_final, retry_until)
       SELECT run + ${ORIGINALS} * copies.n, event.n, type, time - ${MINUTE_MS} * (run + ${ORIGINALS} * copies.n), name, is_listed, value,
         error, is_final, retry_until
       FROM events AS event, copies`,
    )
    .run({ last });
  database
    .prepare(
      `${copies} INSERT INTO runs (seq, id, workflow, key, fingerprint, input, status, created_at, epoch, output, ended_at)
       SELECT seq + ${ORIGINALS} * n, printf('%08x', n) || substr(id, 9), workflow, key || '-' || n, fingerprint,
         json_set(input, '$.feedback_id', key || '-' || n), status, created_at - ${MINUTE_MS} * (seq + ${ORIGINALS} * n), epoch, output,
         ended_at - ${MINUTE_MS} * (seq + ${ORIGINALS} * n)
       FROM runs, copies`,
    )
    .run({ last });
  database.exec("COMMIT");
  return folder;
}

const settingsOf = (folder: string, customerSource: string) =>
  readSettings(
    { dataDirectory: join(folder, "data"), customerSource, responseCap: 1_000_000, httpPort: 0, httpRateLimit: 0 },
    {},
  );

async function measure(folder: string, browser: Browser | undefined, figures: Figures): Promise<void> {
  const child = fork(import.meta.filename, ["serve", folder], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  try {
    const [url] = (await once(child, "message")) as [string];
    const signedIn = { data: { token: TOKEN }, headers: { origin: url } };
    const cookie = await sessionOf(url);
    for (let call = 0; call < CALLS + 5; call++) {
      const begin = performance.now();
      await listFeedback(url, cookie);
      if (call >= 5) figures.api.push(performance.now() - begin);
    }
    if (!browser) return;
    for (let visit = 0; visit < VISITS; visit++) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      await context.request.post(`${url}/session`, signedIn);
      figures.emptyPage.push(await msUntilSeen(context, `${url}/livez`, 0));
      figures.firstVisit.push(await msUntilSeen(context, `${url}/console/`, 50));
      figures.nextVisit.push(await msUntilSeen(context, `${url}/console/`, 50));
      await context.close();
    }
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function sessionOf(url: string): Promise<string> {
  const response = await fetch(`${url}/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify({ token: TOKEN }),
  });
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

async function listFeedback(url: string, cookie: string): Promise<void> {
  const headers = { "content-type": "application/json", origin: url, cookie };
  const response = await fetch(`${url}${LIST}`, { method: "POST", headers, body: "{}" });
  const { feedback: page } = (await response.json()) as { feedback?: unknown[] };
  if (page?.length !== 50) throw new Error(`status ${response.status}, ${page?.length} rows`);
}

/**
 * Time from the beginning of the navigation to the frame after this many rows are in the page, in
 * milliseconds.
 */
async function msUntilSeen(context: BrowserContext, address: string, rows: number): Promise<number> {
  const page = await context.newPage();
  await page.addInitScript(`globalThis.seen = new Promise((resolve) => {
    const look = () => document.querySelectorAll(".row").length < ${rows}
      ? requestAnimationFrame(look)
      : requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    look();
  })`);
  await page.goto(address);
  const ms = (await page.evaluate("seen")) as number;
  await page.close();
  return ms;
}

async function serve(folder: string): Promise<void> {
  const settings = settingsOf(folder, join(folder, "customers.json"));
  const application = await openApplication(settings);
  const { url } = await openHttpService(application, settings, { version: "0.0.0", localToken: TOKEN });
  process.send!(url);
}

if (process.argv[2] === "serve") await serve(process.argv[3]!);
