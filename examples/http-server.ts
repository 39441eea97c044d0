// Customer feedback over HTTP. Put authentication in front of it before others can reach it.
// npm install abi-workflows hono @hono/node-server
// node examples/http-server.ts          serves until Ctrl-C, on PORT or a free one
// node examples/http-server.ts --once   sends itself one request and ends
// In a checkout: npm run example examples/http-server.ts
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openApplication, readSettings } from "abi-workflows";

const dataDirectory = await mkdtemp(`${tmpdir()}/abi-workflows-http-`);
const customerSource = fileURLToPath(new URL("data/customers.csv", import.meta.url));
const mailUrl = `outbox:${dataDirectory}/outbox`;
const application = await openApplication(readSettings({ dataDirectory, customerSource, mailUrl }));
const { workflow } = application;

const app = new Hono();
workflow.as_api(app);
const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"] ?? 0) });
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/workflows/customer-feedback`;
console.log(`POST ${url}`);

if (process.argv.includes("--once")) {
  const feedback = {
    feedback_id: "F-1",
    customer_id: "C-1001",
    subject: "Search",
    feedback_text: "Search is so slow.",
  };
  const headers = { "content-type": "application/json", connection: "close" };
  const submitted = await fetch(url, { method: "POST", headers, body: JSON.stringify(feedback) });
  console.log(submitted.status, await submitted.json());
  assert.equal(submitted.status, 202);

  // Submitting it again from code joins the run and waits for its end.
  assert.equal((await workflow.run(feedback)).duplicate, true);
  const processed = await fetch(`${url}/F-1`, { headers });
  const answer = (await processed.json()) as { status: string; response_sent: boolean };
  console.log(processed.status, answer);
  assert.equal(answer.status, "processed");
  assert.equal(answer.response_sent, true);
} else {
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}
server.close();
await application.close();
await rm(dataDirectory, { recursive: true });
