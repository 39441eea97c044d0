import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openApplication } from "../../src/application/application.ts";
import { silentLogger } from "../../src/log.ts";
import { readSettings } from "../../src/application/settings.ts";
import { temporaryFolder } from "../support/folder.ts";

const example = join(import.meta.dirname, "../..", "examples", "refund-workflow.ts");

async function open(module: string) {
  const path = join(temporaryFolder(), "workflows.ts");
  await writeFile(path, module);
  const application = await openApplication(
    readSettings({ dataDirectory: ":memory:", workflows: path }, {}),
    silentLogger,
  );
  onTestFinished(() => application.close());
  return application;
}

describe("custom workflows", () => {
  it("are added by the configured module", async () => {
    const { service, workflow } = await open(
      `import { RefundWorkflow } from ${JSON.stringify(example)};
       export const createWorkflows = ({ engine, ontologyStore }) => [new RefundWorkflow({ engine, ontologyStore, limit: 5 })];`,
    );
    expect([...service.workflows.keys()]).toEqual(["customer-feedback", "refund"]);
    expect(service.workflows.get("customer-feedback")).toBe(workflow);
    const result = await service.workflows.get("refund")!.run({ refund_id: "R-1", order_id: "O-1", amount: 9 });
    expect(result).toMatchObject({ success: true, decision: "waits_for_person" });
  });

  it.each([
    ["no such function", "export const workflows = [];", /must export a function createWorkflows/],
    ["something else", "export const createWorkflows = () => [{}];", /must return an array of workflows/],
  ])("are refused if their module exports %s", async (_, module, message) => {
    await expect(open(module)).rejects.toThrow(message);
  });

  it.each([
    ["can't be loaded", "export const createWorkflows = ;", /can't be loaded\. \w*Error: /],
    ["says no", "export const createWorkflows = () => { throw new Error('no'); };", /failed\. Error: no \(\S+\.ts:1\)/],
  ])("are refused with the reason if their module %s", async (_, module, message) => {
    await expect(open(module)).rejects.toThrow(message);
  });

  it("are refused if the file does not exist", async () => {
    const settings = readSettings({ dataDirectory: ":memory:", workflows: "/nowhere/workflows.ts" }, {});
    await expect(openApplication(settings, silentLogger)).rejects.toThrow("there is no such file");
  });
});
