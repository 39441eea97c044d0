import { beforeEach, describe, expect, it } from "vitest";
import { readSettings, SETTINGS, type SettingsOptions } from "../../src/settings.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startOpenAiServer, toolCall, type ScriptStep } from "../support/openai-server.ts";
import { codeBlocks, createProject, filesOf, readDocument, runNode } from "./documents.ts";

/** The rows below a header, cell by cell. */
function tableOf(...header: string[]): string[][] {
  const lines = readDocument("README.md").split("\n");
  const cells = lines.map((line) =>
    (line.startsWith("|") ? line.slice(1, -1).split("|") : []).map((cell) => cell.trim()),
  );
  const start = cells.findIndex((row) => row.join("|") === header.join("|")) + 2;
  return cells.slice(
    start,
    cells.findIndex((row, at) => at >= start && row.length === 0),
  );
}

describe("the README's settings", () => {
  it("are all there are, with the defaults that hold", () => {
    const defaults = readSettings({}, {});
    const rows = SETTINGS.map(({ name, env, about }) => {
      const value = defaults[name as keyof SettingsOptions];
      const shown = typeof value === "boolean" ? (value ? "on" : "off") : value;
      // Outside of code Markdown takes <folder> for a tag.
      const meaning = about.replaceAll(/`[^`]*`|</g, (part) => (part === "<" ? String.raw`\<` : part));
      return [`\`${env}\``, `\`${name}\``, shown === undefined ? "" : `\`${shown}\``, meaning];
    });
    expect(tableOf("variable", "option", "default", "meaning")).toEqual(rows);
  });
});

describe("the README's commands", () => {
  it("are those of the command line", async () => {
    const { stdout } = await runNode(["bin/abi-workflows.js", "--help"]);
    const [, listed = ""] = /Commands:\n(.*?)\n\n/s.exec(stdout) ?? [];
    const known = [...listed.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name);
    const told = tableOf("command", "what it does").map(([cell = ""]) => /^`([a-z-]+)/.exec(cell)?.[1]);
    expect([...told, "help"]).toEqual(known);
  });

  it("show what the demo prints", async () => {
    // Counts, ids and times change with the sample and the machine; words must not.
    const lines = (text: string) =>
      text.split("\n").map((line) => line.replaceAll(/\d+/g, "0").replaceAll(/\s+/g, " "));
    const { code, stdout } = await runNode(["bin/abi-workflows.js", "--data", temporaryFolder(), "demo"]);
    expect(code).toBe(0);
    const shown = codeBlocks("README.md").find(({ language }) => language === "text")!.code;
    const printed = new Set(lines(stdout));
    const kept = lines(shown).filter((line) => line.trim() !== "" && line.trim() !== "…");
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.filter((line) => !printed.has(line))).toEqual([]);
  });
});

describe("the README's programs", () => {
  let project: string;

  beforeEach(() => {
    project = createProject(filesOf("README.md"));
  });

  async function run(file: string, script: ScriptStep[] = []) {
    await using model = await startOpenAiServer(script);
    const env = { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.url };
    const ended = await runNode([file], { cwd: project, env: script.length > 0 ? env : {} });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    return { stdout: ended.stdout, requests: model.requests };
  }

  it("agent.ts lets a model use the tools", async () => {
    const args = {
      feedback_id: "F-1",
      customer_id: "C-1001",
      subject: "Search",
      feedback_text: "I love the new search!",
    };
    const { stdout, requests } = await run("agent.ts", [
      toolCall("process_customer_feedback", args),
      { reply: "F-1 was answered." },
    ]);
    expect(stdout).toBe("F-1 was answered.\n");
    expect(JSON.stringify(requests[1]?.body.messages.at(-1))).toMatch(/\\"success\\":true/);
  });

  it("feedback-agent.ts answers without a key", async () => {
    const { stdout } = await run("feedback-agent.ts");
    expect(stdout).toMatch(/^Sentiment: negative/);
    expect(stdout).toMatch(/sentiment: 'negative'/);
  });

  it("workflow.ts and question.ts speak of the same feedback", async () => {
    const { stdout, requests } = await run("workflow.ts", [
      toolCall("analyze_feedback_sentiment", { text: "It works." }),
    ]);
    expect(stdout).toMatch(/^escalate \w+ \[ 'billing' \] TICKET-/);
    expect(stdout).toContain("name: 'analyze_feedback_sentiment'");
    expect(stdout).toContain("status: 'processed'");
    expect(requests[0]?.body.tools).toHaveLength(3);
    expect((await run("question.ts")).stdout).toBe("F-2 Invoice\n");
  });
});
