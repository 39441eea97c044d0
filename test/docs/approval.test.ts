import { readFileSync } from "node:fs";
import { Parser } from "n3";
import { expect, test } from "vitest";
import { ABI, vocabularyUrl } from "../../src/ontology/vocabulary.ts";
import { codeBlocks, createProject, filesOf, runNode } from "./documents.ts";

test("the program of the approval page shows an email, approves it, and has it sent", async () => {
  const cwd = createProject(filesOf("docs/approval.md"));
  const { code, stdout, stderr } = await runNode(["approval.ts"], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^waiting_for_approval\nTo \S+@\S+: RE: Search\n\n.*<[0-9a-f]{40}@example\.org>\n$/s);
});

test("the drafts and decisions on the knowledge graph page use only terms of the vocabulary", () => {
  const [, draft] = codeBlocks("docs/knowledge-graph.md").filter(({ language }) => language === "turtle");
  const used = new Parser().parse(draft!.code).flatMap(({ predicate, object }) => [predicate.value, object.value]);
  const declared = new Set(new Parser().parse(readFileSync(vocabularyUrl, "utf8")).map(({ subject }) => subject.value));
  const terms = used.filter((term) => term.startsWith(ABI));
  expect(terms).toContain(`${ABI}ResponseDecision`);
  expect(terms.filter((term) => !declared.has(term))).toEqual([]);
});
