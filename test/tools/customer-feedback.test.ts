import { join } from "node:path";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { BaseToolkit } from "@langchain/core/tools";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCustomerFeedbackTools, type SettingsOptions } from "../../tools/index.ts";
import { temporaryFolder } from "../support/folder.ts";

const feedback = { feedback_id: "F-1", customer_id: "C-1", subject: "Praise", feedback_text: "I love it!" };

async function open(options: SettingsOptions = {}) {
  const folder = temporaryFolder();
  const customerSource = join(folder, "customers.csv");
  writeFileSync(customerSource, "id,name,email\nC-1,Ada,ada@example.net\n");
  const dataDirectory = join(folder, "data");
  const kit = () => createCustomerFeedbackTools({ dataDirectory, customerSource, ...options });
  const toolkit = await kit();
  onTestFinished(() => toolkit.close());
  return { toolkit, reopen: kit, dataDirectory, mails: () => readdirSync(join(dataDirectory, "outbox")) };
}

describe("createCustomerFeedbackTools", () => {
  it("gives a toolkit with the workflow's three tools, ready to use", async () => {
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

  it("keeps everything for tomorrow", async () => {
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

  it("keeps nothing with :memory:", async () => {
    const { toolkit } = await open({ dataDirectory: ":memory:", mailUrl: `outbox:${temporaryFolder()}` });
    expect(await toolkit.workflow.run(feedback)).toMatchObject({ success: true });
  });

  it("says what is wrong with settings before anything is opened", async () => {
    await expect(
      createCustomerFeedbackTools({ mailUrl: "ftp://x", dataDirectory: temporaryFolder() }),
    ).rejects.toMatchObject({
      code: "invalid_configuration",
    });
    await expect(createCustomerFeedbackTools({ maxParallelRequests: 0 })).rejects.toThrow(/at least 1/);
  });

  it("keeps what it knows from others on the machine", async () => {
    const { dataDirectory } = await open();
    expect(statSync(dataDirectory).mode & 0o077).toBe(0);
  });

  it("says at once that the file of customers is not there, or that the data directory is a file", async () => {
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
