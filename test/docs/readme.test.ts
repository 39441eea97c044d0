import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { call } from "../cli/command-process.ts";
import { SETTINGS } from "../../src/application/settings.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startOpenAiServer, toolCall, type ScriptStep } from "../support/openai-server.ts";
import { createProject, filesOf, readDocument, root, runNode } from "./documents.ts";

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

/** The beginnings of the demo's lines that the README shows. */
const SHOWN = [
  "abi-workflows demo",
  "❯ Customer C-1007",
  "  → process_customer_feedback(",
  "    ✓ C-1007",
  "❯ Customer C-1006",
  "    ✓ C-1006",
  "  Feedback auto-",
  "feedback  customer",
  "F-3001",
  "F-3002",
  "F-3022",
  "F-3024",
  "Summary",
  "  emails ",
  "Who is unhappy",
  "customer  ",
  "Milo Castellan",
  "Run it again",
];

/** The first line with each beginning, in this order, with `…` for omitted lines. */
function excerpt(text: string, beginnings: readonly string[]): string {
  const left = [...beginnings];
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (line === "") return line;
      if (left[0] === undefined || !line.startsWith(left[0])) return "…";
      left.shift();
      return line;
    });
  if (left[0] !== undefined) throw new Error(`The demo prints no line that begins with "${left[0]}" there.`);
  return `${lines.join("\n").replaceAll(/…(?:\n+…)+/g, "…")}\n`;
}

describe("the README's settings", () => {
  it("exist", () => {
    const named = tableOf("Variable", "What it sets").map(([cell = ""]) => cell.replaceAll("`", ""));
    expect(named.length).toBeGreaterThan(0);
    expect(SETTINGS.map(({ env }) => env)).toEqual(expect.arrayContaining(named));
  });
});

describe("the README's commands", () => {
  it("are exactly those of the command line", async () => {
    const { stdout } = await call(["--help"], { cwd: temporaryFolder() });
    const [, listed = ""] = /Commands:\n(.*?)\n\n/s.exec(stdout) ?? [];
    const known = [...listed.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name);
    const told = tableOf("command", "what it does").map(([cell = ""]) => /^`([a-z-]+)/.exec(cell)?.[1]);
    expect([...told, "help"]).toEqual(known);
  });
});

describe("the README's demo", () => {
  it("is an excerpt of what the demo prints (with -u, it is rewritten)", async () => {
    const { code, stdout } = await call(["demo"], { cwd: temporaryFolder() });
    expect(code).toBe(0);
    const shown = excerpt(stdout, SHOWN);
    const block = /(?<=^<!-- demo[^\n]*\n\n```text\n).*?(?=^```$)/ms;
    const written = readDocument("README.md").replace(block, () => shown);
    expect(written).toContain(shown);
    await expect(written).toMatchFileSnapshot(join(root, "README.md"));
  });

  it("reports missing lines", () => {
    expect(() => excerpt("one\ntwo\n", ["two", "one"])).toThrow('prints no line that begins with "one" there');
    expect(excerpt("0\n\none\na\n\nb\n\ntwo\nthree\n", ["one", "two"])).toBe("…\n\none\n…\n\ntwo\n…\n");
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

  it("include agent.ts, which lets a model use the tools", async () => {
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

  it("include feedback-agent.ts from the page about agents, which answers without a key", async () => {
    project = createProject(filesOf("docs/agents.md"));
    const { stdout } = await run("feedback-agent.ts");
    expect(stdout).toMatch(/^Sentiment: negative/);
    expect(stdout).toMatch(/sentiment: 'negative'/);
  });

  it("include workflow.ts and question.ts, which work on the same feedback", async () => {
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
