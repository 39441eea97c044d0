import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { startOpenAiServer, toolCall } from "../support/openai-server.ts";
import { root, runNode } from "./documents.ts";

const AS_PACKAGE = ["--import", "./scripts/package-from-sources.mjs"];

const run = (file: string, env: Record<string, string> = {}) =>
  runNode([...AS_PACKAGE, join("examples", file), ...(file === "http-server.ts" ? ["--once"] : [])], { env });

describe("the examples", () => {
  const programs = globSync("*.ts", { cwd: join(root, "examples") }).toSorted();

  it("are found", () => {
    expect(programs).toContain("agent.ts");
  });

  it.each(programs)("%s runs and asserts", async (file) => {
    expect(await run(file)).toMatchObject({ code: 0, stderr: "" });
  });

  it("bind-tools.ts runs what a model plans", async () => {
    const args = {
      feedback_id: "F-1",
      customer_id: "C-1002",
      subject: "Invoice",
      feedback_text: "You charged me twice.",
    };
    await using model = await startOpenAiServer([toolCall("process_customer_feedback", args), { reply: "Done." }]);
    const { code, stdout, stderr } = await run("bind-tools.ts", { OPENAI_BASE_URL: model.url });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^process_customer_feedback .*"action":"escalate".*\nDone\.\n$/);
  });

  it("bind-tools.ts fails where the model plans nothing", async () => {
    await using model = await startOpenAiServer([{ reply: "No." }]);
    // It ends where it stands, and leaves its folder behind.
    const env = { OPENAI_BASE_URL: model.url, TMPDIR: temporaryFolder() };
    expect((await run("bind-tools.ts", env)).stderr).toContain("the model has planned no call");
  });
});

interface Notebook {
  metadata: { kernelspec: { name: string } };
  cells: { cell_type: string; source: string[]; outputs?: unknown[] }[];
}

describe("the notebook", () => {
  const { metadata, cells } = JSON.parse(readFileSync(join(root, "examples/notebook.ipynb"), "utf8")) as Notebook;
  const code = cells.filter(({ cell_type }) => cell_type === "code");

  it("is for the Deno kernel, and its outputs are cleared", () => {
    expect(metadata.kernelspec.name).toBe("deno");
    expect(code.flatMap(({ outputs }) => outputs ?? [])).toEqual([]);
  });

  it("runs from its first cell to its last", async () => {
    const program = code.map(({ source }) => source.join("")).join("\n\n");
    const args = ["--input-type=module-typescript", "--eval", program];
    const { code: exitCode, stdout, stderr } = await runNode(args, { cwd: join(root, "examples") });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^true true$/m);
    expect(stdout).toMatch(/^F-4 Customer with ID C-9999 not found$/m);
  });
});
