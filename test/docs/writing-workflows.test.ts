import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { serve } from "../support/http.ts";
import { startOpenAiServer, toolCall } from "../support/openai-server.ts";
import { createProject, filesOf, runNode, startNode } from "./documents.ts";

describe("the workflow of the guide", () => {
  let project: string;

  beforeEach(async () => {
    project = createProject(filesOf("docs/writing-workflows.md"));
  });

  const storeOrders = async () =>
    expect(await runNode(["orders.ts"], { cwd: project })).toMatchObject({ code: 0, stderr: "" });

  /** Starts the guide's label service and returns its URL. */
  const serveLabels = async () => {
    const server = startNode(["label-server.ts"], { cwd: project, env: { LABEL_PORT: "0" } });
    const [greeting] = (await once(server.stdout!, "data")) as [Buffer];
    return greeting.toString().trim();
  };

  it("passes the guide's tests for it", async () => {
    const { code, stdout } = await runNode(["--test", "--test-reporter=tap"], { cwd: project });
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(8);
    expect(code).toBe(0);
  });

  it("can be used by an agent", async () => {
    await storeOrders();
    const args = { return_id: "R-9", order_id: "O-1", text: "The lid is broken.", reason: null, send_label: null };
    const model = await startOpenAiServer([
      toolCall("process_return", args),
      ({ messages }) => ({ reply: `Seen: ${JSON.stringify(messages.at(-1)?.content)}` }),
    ]);
    await using _ = model;
    const env = { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.url };
    const { stdout, stderr } = await runNode(["agent.ts"], { cwd: project, env });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^Seen: .*decision\\":\\"needs_person\\",\\"reason\\":\\"damaged/);
  });

  it("answers over HTTP and shuts down cleanly", async () => {
    await storeOrders();
    const labels = await serve({ json: { label_id: "LABEL-1" } });
    const server = startNode(["server.ts"], { cwd: project, env: { PORT: "0", LABEL_URL: labels.origin } });
    const ended = once(server, "close");
    const [greeting] = (await once(server.stdout!, "data")) as [Buffer];
    const url = greeting.toString().trim();
    const body = JSON.stringify({ return_id: "R-1", order_id: "O-1", text: "I changed my mind." });
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", connection: "close" },
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "processing", return_id: "R-1", order_id: "O-1" });
    await labels.received(1);
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(readdirSync(join(project, "data"))).toContain("data.sqlite");
  });

  it("processes a file", async () => {
    await storeOrders();
    const { stdout } = await runNode(["batch.ts"], { cwd: project, env: { LABEL_URL: await serveLabels() } });
    expect(stdout).toBe("R-1 approved\nR-2 Order O-404 not found\n");
  });
});
