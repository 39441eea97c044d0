// The server for the http benchmark, in a separate process:
//   node bench/http-server.ts <bare | as-api | serve> <folder>
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createHttpApi, RateLimit, Tokens } from "../src/http.ts";
import { openApplication, readSettings } from "../src/index.ts";
import { openSqlite } from "../src/files/sqlite.ts";
import { writeCustomers } from "./support/feedback.ts";

export type ServerName = "bare" | "as-api" | "serve";

export interface ServerStats {
  /** Number of completed runs. */
  runs: number;
  /** 99th percentile of the event loop's delay since the last request for it, in milliseconds. */
  loopP99: number;
}

const [name, folder] = process.argv.slice(2) as [ServerName, string];
let app = new Hono();
const countRuns = name === "bare" ? openBare() : await openOurs();

const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => process.send!(port));
process.on("disconnect", () => server.close());

const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
process.on("message", () => void sendStats());

async function sendStats(): Promise<void> {
  const loopP99 = loop.percentile(99) / 1e6;
  process.send!({ runs: await countRuns(), loopP99 } satisfies ServerStats);
  loop.reset();
}

function openBare(): () => Promise<number> {
  const database = openSqlite(join(folder, "bare.sqlite"));
  database.exec("CREATE TABLE posts (id TEXT PRIMARY KEY, body TEXT)");
  const insert = database.prepare("INSERT INTO posts VALUES (?, ?)");
  app.post("/workflows/customer-feedback", async (context) => {
    const body = await context.req.json<{ feedback_id: string }>();
    insert.run(body.feedback_id, JSON.stringify(body));
    return context.json({ status: "processing" }, 202);
  });
  return async () => 0;
}

async function openOurs(): Promise<() => Promise<number>> {
  const settings = readSettings(
    {
      dataDirectory: join(folder, "data"),
      customerSource: writeCustomers(folder),
      maxParallelRequests: 16,
      responseCap: 1_000_000,
    },
    {},
  );
  const { workflow, service, customerDataPipeline } = await openApplication(settings);
  await customerDataPipeline.loadAll();
  if (name === "as-api") workflow.as_api(app);
  else {
    const tokens = Tokens.fromSetting("bench:feedback:write:bench-0123456789abcdef");
    // Every request is counted, as in `serve`, but none is refused.
    const rateLimit = new RateLimit(1_000_000_000);
    const allowedHosts = ["127.0.0.1"];
    app = createHttpApi(service, { tokens, version: "0.0.0", rateLimit, allowedHosts }).app as unknown as Hono;
  }
  return async () => (await workflow.listWorkflows({ status: "completed", limit: 100_000 })).length;
}
