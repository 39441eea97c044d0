import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Parser } from "n3";
import { beforeAll, describe, expect, it } from "vitest";
import { openApplication } from "../../src/application/application.ts";
import type { OntologyStore } from "../../src/ontology/ontology-store.ts";
import { PREFIXES } from "../../src/ontology/vocabulary.ts";
import { readSettings } from "../../src/application/settings.ts";
import { shaclViolations } from "../support/shacl.ts";
import { codeBlocks, createProject, filesOf, root, runNode } from "./documents.ts";

const blocks = codeBlocks("docs/knowledge-graph.md");
const questions = blocks.filter(({ language }) => language === "sparql").map(({ code }) => code);

describe("the questions of the knowledge graph page", () => {
  let store: OntologyStore;

  beforeAll(async () => {
    const outbox = await mkdtemp(join(tmpdir(), "abi-workflows-docs-"));
    const customerSource = join(root, "examples/data/customers.csv");
    const settings = readSettings({ dataDirectory: ":memory:", customerSource, mailUrl: `outbox:${outbox}` }, {});
    const application = await openApplication(settings);
    store = application.ontologyStore;
    const lines = readFileSync(join(root, "examples/data/feedback.jsonl"), "utf8").trim().split("\n");
    await Array.fromAsync(application.workflow.runBatch(lines.map((line) => JSON.parse(line) as unknown)));
    return async () => {
      await application.close();
      await rm(outbox, { recursive: true });
    };
  });

  it("are found", () => {
    expect(questions.length).toBeGreaterThanOrEqual(6);
  });

  it.each(questions.map((question) => [question.split("\n", 1)[0]!, question]))(
    "have an answer: %s",
    async (_, question) => {
      const answer = await store.query("feedback_data", `${PREFIXES} ${question}`);
      expect(answer === true || (Array.isArray(answer) && answer.length > 0)).toBe(true);
    },
  );

  it("are about feedback that is stored as the page says", async () => {
    const example = new Parser().parse(blocks.find(({ language }) => language === "turtle")!.code);
    expect(await shaclViolations(example)).toEqual([]);
    const written = new Set((await store.getGraph("feedback_data")).map(({ predicate }) => predicate.value));
    expect(example.map(({ predicate }) => predicate.value).filter((predicate) => !written.has(predicate))).toEqual([]);
  });
});

describe("the programs of the knowledge graph page", () => {
  it("turn questions into tools", async () => {
    const cwd = createProject(filesOf("docs/knowledge-graph.md"));
    const { stdout, ...ended } = await runNode(["questions.ts"], { cwd });
    expect(ended).toEqual({ code: 0, stderr: "" });
    const [history, unanswered] = stdout.trim().split("\n");
    expect(JSON.parse(history!)).toMatchObject({ rows: [{ feedback_id: "F-1", categories: ["billing"] }] });
    expect(unanswered).toMatch(
      /^list_unanswered \{"rows":\[\{"id":"F-1","received_at":"[^"]+"\}\],"truncated":false\}$/,
    );
  });

  it("stop queries", async () => {
    const cwd = createProject(filesOf("docs/knowledge-graph.md"));
    expect(await runNode(["limits.ts"], { cwd })).toEqual({ code: 0, stdout: "10 true\nquery_timeout\n", stderr: "" });
  });
});
