import { join } from "node:path";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { BaseToolkit } from "@langchain/core/tools";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../src/ontology/queries.ts";
import { PREFIXES } from "../../src/ontology/vocabulary.ts";
import {
  createCustomerFeedbackTools,
  type CustomerFeedbackToolkit,
  type SettingsOptions,
  type ToolOptions,
} from "../../tools/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startOpenAiServer, status, toolCall } from "../support/openai-server.ts";

const feedback = { feedback_id: "F-1", customer_id: "C-1", subject: "Praise", feedback_text: "I love it!" };

async function open(options: SettingsOptions = {}, toolOptions: ToolOptions = {}) {
  const folder = temporaryFolder();
  const customerSource = join(folder, "customers.csv");
  writeFileSync(customerSource, "id,name,email\nC-1,Ada,ada@example.net\n");
  const dataDirectory = join(folder, "data");
  const kit = () => createCustomerFeedbackTools({ dataDirectory, customerSource, ...options }, toolOptions);
  const toolkit = await kit();
  onTestFinished(() => toolkit.close());
  return { toolkit, reopen: kit, dataDirectory, mails: () => readdirSync(join(dataDirectory, "outbox")) };
}

/** Names of the analysers in the knowledge graph. Closes the toolkit. */
async function analyzersInGraph(toolkit: CustomerFeedbackToolkit, dataDirectory: string): Promise<string[]> {
  await toolkit.close();
  const store = await OxigraphOntologyStore.open({ path: join(dataDirectory, "data.sqlite") });
  onTestFinished(() => store.close());
  const query = `${PREFIXES} SELECT ?name { ?analyzer a abi:Analyzer ; abi:name ?name } ORDER BY ?name`;
  return (await select(store, "feedback_data", query)).map(({ name }) => name?.value ?? "");
}

describe("createCustomerFeedbackTools", () => {
  it("returns a toolkit with the workflow's three tools, ready to use", async () => {
    const { toolkit, mails } = await open();
    expect(toolkit).toBeInstanceOf(BaseToolkit);
    expect(toolkit.getTools()).toBe(toolkit.tools);
    expect(toolkit.tools.map(({ name }) => name)).toEqual(toolkit.workflow.as_tools().map(({ name }) => name));
    const [process] = toolkit.tools;
    expect(JSON.parse((await process!.invoke(feedback)) as string)).toMatchObject({
      success: true,
      action: "auto_respond",
    });
    expect(mails()).toHaveLength(1);
  });

  it("can create tools for one customer, and others for another", async () => {
    const { toolkit } = await open({}, { fixed: { customer_id: "C-1" } });
    const { customer_id: _, ...rest } = feedback;
    const process = async (tools = toolkit.getTools()) =>
      JSON.parse((await tools[0]!.invoke({ ...rest, feedback_id: null } as never)) as string) as object;
    expect(await process()).toMatchObject({ success: true, customer_id: "C-1" });
    const other = toolkit.getTools({ fixed: { customer_id: "C-2" } });
    expect(await process(other)).toMatchObject({ customer_id: "C-2", error_code: "customer_not_found" });
  });

  it("refuses tool options that can't work, and leaves nothing open", async () => {
    const folder = temporaryFolder();
    const settings = { dataDirectory: folder };
    await expect(createCustomerFeedbackTools(settings, { fixed: { customer: "C-1" } })).rejects.toMatchObject({
      code: "invalid_configuration",
    });
    await (await createCustomerFeedbackTools(settings)).close();
  });

  it("keeps everything for the next start", async () => {
    const { toolkit, reopen, mails } = await open();
    const first = await toolkit.workflow.run(feedback);
    await toolkit.close();
    const tomorrow = await reopen();
    onTestFinished(() => tomorrow.close());
    expect(await tomorrow.workflow.run(feedback)).toEqual({ ...first, duplicate: true });
    expect(mails()).toHaveLength(1);
  });

  it("refuses a data directory that is in use, and leaves it usable", async () => {
    const { toolkit, reopen } = await open();
    await expect(reopen()).rejects.toMatchObject({ code: "in_use" });
    expect(await toolkit.workflow.run(feedback)).toMatchObject({ success: true });
  });

  it("stores nothing with :memory:", async () => {
    const { toolkit } = await open({ dataDirectory: ":memory:", mailUrl: `outbox:${temporaryFolder()}` });
    expect(await toolkit.workflow.run(feedback)).toMatchObject({ success: true });
  });

  it("lets a chat model judge if ANALYZER says so, and records which analyser judged", async () => {
    const judgement = { language: "de", sentiment: "negative", confidence: 0.8, evidence: ["kaputt"], categories: [] };
    const server = await startOpenAiServer([toolCall("judge_feedback", judgement)]);
    onTestFinished(() => server.close());
    const { toolkit, dataDirectory } = await open({
      analyzer: "chat-model",
      openaiBaseUrl: server.url,
      openaiModel: "small",
    });
    expect(await toolkit.workflow.run({ ...feedback, feedback_text: "Es ist leider kaputt." })).toMatchObject({
      sentiment: "negative",
      categories: ["general"],
      language: "de",
    });
    expect(server.requests.map(({ body }) => body.model)).toEqual(["small"]);
    expect(await analyzersInGraph(toolkit, dataDirectory)).toEqual(["chat-model-categories", "chat-model-sentiment"]);
  });

  it("uses the embedded analysers if the chat model fails, and records which analyser judged", async () => {
    const server = await startOpenAiServer([status(401), status(401)]);
    onTestFinished(() => server.close());
    const { toolkit, dataDirectory } = await open({ analyzer: "chat-model", openaiBaseUrl: server.url });
    expect(await toolkit.workflow.run(feedback)).toMatchObject({ success: true, sentiment: "positive" });
    expect(await analyzersInGraph(toolkit, dataDirectory)).toEqual(["embedded-categories", "embedded-sentiment"]);
  });

  it("refuses a chat model if no model service is configured", async () => {
    vi.stubEnv("OPENAI_API_KEY", "").stubEnv("OPENAI_BASE_URL", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(open({ analyzer: "chat-model" })).rejects.toMatchObject({
      code: "invalid_configuration",
      message: expect.stringContaining("OPENAI_API_KEY"),
    });
  });

  it("says what is wrong with settings before anything is opened", async () => {
    await expect(
      createCustomerFeedbackTools({ mailUrl: "ftp://x", dataDirectory: temporaryFolder() }),
    ).rejects.toMatchObject({
      code: "invalid_configuration",
    });
    await expect(createCustomerFeedbackTools({ maxParallelRequests: 0 })).rejects.toThrow(/at least 1/);
  });

  it("hides its data from other users of the machine", async () => {
    const { dataDirectory } = await open();
    expect(statSync(dataDirectory).mode & 0o077).toBe(0);
  });

  it("says at once if the file of customers is missing, or if the data directory is a file", async () => {
    const folder = temporaryFolder();
    await expect(createCustomerFeedbackTools({ dataDirectory: folder, customerSource: "none.csv" })).rejects.toThrow(
      /There is no file none\.csv/,
    );
    writeFileSync(join(folder, "file"), "");
    await expect(createCustomerFeedbackTools({ dataDirectory: join(folder, "file") })).rejects.toMatchObject({
      type: "io_error",
    });
  });
});
