import { globSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { startOpenAiServer, toolCall } from "../support/openai-server.ts";
import { createProject, notebookCode, readNotebook, root, runNode } from "./documents.ts";
import { digestOf } from "../../scripts/notebook-digest.ts";

const AS_PACKAGE = ["--import", "./scripts/package-from-sources.mjs"];

const run = (file: string, env: Record<string, string> = {}) =>
  runNode([...AS_PACKAGE, join("examples", file), ...(file === "http-server.ts" ? ["--once"] : [])], { env });

describe("the examples", () => {
  const programs = globSync("*.ts", { cwd: join(root, "examples") }).toSorted();

  it("are found", () => {
    expect(programs).toContain("agent.ts");
  });

  it.each(programs)("include %s, which runs without a failed assertion", async (file) => {
    expect(await run(file)).toMatchObject({ code: 0, stderr: "" });
  });

  it("include bind-tools.ts, which carries out a model's calls", async () => {
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

  it("include bind-tools.ts, which fails if the model makes no call", async () => {
    await using model = await startOpenAiServer([{ reply: "No." }]);
    // The program ends at once, and leaves its folder behind.
    const env = { OPENAI_BASE_URL: model.url, TMPDIR: temporaryFolder() };
    expect((await run("bind-tools.ts", env)).stderr).toContain("the model has planned no call");
  });
});

/** Records the charts and tables that the cells create, which only a kernel displays, and prints them at the end. */
const NOTING = `
const noted: string[] = [];
const noting = (make) => (...args) => {
  const element = make(...args);
  noted.push(element.outerHTML);
  return element;
};
chart = noting(chart);
table = noting(table);
process.once("exit", () => console.log(JSON.stringify(noted)));
`;

describe("the notebook", () => {
  const notebook = readNotebook();
  const outputs = notebook.cells.flatMap((cell) => cell.outputs ?? []);
  const shown = (type: string) => outputs.flatMap(({ data }) => data?.[type]?.join("") ?? []);

  it("is for the Deno kernel, and shows tables and charts without being run", () => {
    expect(notebook.metadata.kernelspec.name).toBe("deno");
    expect(shown("image/svg+xml").length).toBeGreaterThanOrEqual(2);
    expect(shown("text/html").length).toBeGreaterThanOrEqual(5);
    expect(outputs.filter(({ output_type }) => output_type === "error")).toEqual([]);
  });

  it("has up-to-date outputs (if not, run `node scripts/run-notebook.mjs`)", () => {
    expect(digestOf(notebook)).toBe(notebook.metadata.outputs);
  });

  it("has the same outputs in Node.js, from the first cell to the last", async () => {
    const project = createProject({});
    symlinkSync(join(root, "examples"), join(project, "node_modules/abi-workflows/examples"));
    const program = notebookCode((cell) => (cell.includes("function table(") ? NOTING : ""));
    const args = ["--input-type=module-typescript", "--eval", program];
    const { code: exitCode, stdout, stderr } = await runNode(args, { cwd: project });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    const elements = JSON.parse(lines.pop()!) as string[];
    expect(elements).toEqual(outputs.flatMap(({ data }) => Object.values(data ?? {}).map((text) => text.join(""))));
    expect(`${lines.join("\n")}\n`).toBe(outputs.flatMap(({ text = [] }) => text).join(""));
  });
});
