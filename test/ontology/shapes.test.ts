import { readFile } from "node:fs/promises";
import type { DatasetCore } from "@rdfjs/types";
import { Parser, Store } from "n3";
import SHACLValidator from "rdf-validate-shacl";
import { describe, expect, it } from "vitest";
import { CATEGORIES } from "../../src/analysis/categories.ts";
import { SENTIMENTS } from "../../src/analysis/sentiment-analyzer.ts";
import { ABIGraph, type Properties } from "../../src/ontology/abi-graph.ts";
import { abi, prov, rdf, shapesUrl, vocabularyUrl } from "../../src/ontology/vocabulary.ts";
import { namedNode } from "../support/terms.ts";

const readTurtle = async (url: URL): Promise<Store> => new Store(new Parser().parse(await readFile(url, "utf8")));

const SH = "http://www.w3.org/ns/shacl#";
const RDFS = "http://www.w3.org/2000/01/rdf-schema#";

const asDataset = (store: Store): DatasetCore => store;

async function violations(graph: ABIGraph): Promise<string[]> {
  const validator = new SHACLValidator(asDataset(await readTurtle(shapesUrl)));
  const report = await validator.validate(asDataset(graph.getGraph()));
  return report.results
    .map(({ path }) => (path as { value?: string } | null)?.value?.split("#")[1] ?? "node")
    .toSorted();
}

const now = new Date("2026-01-02T03:04:05Z");

function feedbackGraph(changes: Properties = {}): ABIGraph {
  const graph = new ABIGraph();
  const customer = graph.createEntity("Customer", {
    id: "C-1",
    name: "Ada",
    email: "ada@example.org",
    segment: "premium",
    lifetimeValue: 7000,
    doNotContact: false,
    retrievedAt: now,
    retrievedFrom: "customers.csv",
  });
  const feedback = graph.createEntity("Feedback", {
    id: "F-1",
    subject: "Hello",
    text: "Great!",
    sentiment: "positive",
    timestamp: now,
    action: "escalate",
    responsePermitted: now,
    responseSent: true,
    responseId: "<m@x>",
    responseTime: now,
    sentimentScore: 0.75,
    sentimentEvidence: "great",
    ...changes,
  });
  graph.addProperty(feedback, "hasCategory", "product");
  graph.addProperty(feedback, "hasCategory", "bug");
  graph.createRelationship(feedback, "providedBy", customer);
  const ticket = graph.createEntity("Ticket", { id: "T-1", priority: "high", status: "open" });
  graph.createRelationship(ticket, "forFeedback", feedback);
  graph.createRelationship(
    feedback,
    "hasResponse",
    graph.createEntity("Response", { text: "Thanks", responseTime: now }),
  );
  const agent = graph.createEntity("Analyzer", { id: "lexicon 1", name: "lexicon", version: "1" });
  const pair = graph.createEntity("AnalyzerPair");
  graph.createRelationship(pair, "sentimentAnalyzer", agent);
  graph.createRelationship(pair, "categoryAnalyzer", agent);
  graph.createRelationship(feedback, "analyzedBy", pair);
  graph.createRelationship(feedback, prov.wasGeneratedBy, namedNode("http://example.org/abi/WorkflowRun/workflow-1"));
  return graph;
}

describe("the SHACL shapes", () => {
  it("accept what a workflow writes", async () => {
    expect(await violations(feedbackGraph())).toEqual([]);
  });

  it("find missing, wrong and superfluous values", async () => {
    expect(await violations(feedbackGraph({ subject: undefined, sentiment: "angry", timestamp: "yesterday" }))).toEqual(
      ["sentiment", "subject", "timestamp"],
    );
    const twice = feedbackGraph();
    twice.addProperty(namedNode("http://example.org/abi/Customer/C-1"), "email", "other@example.org");
    twice.addProperty(namedNode("http://example.org/abi/Customer/C-1"), "lifetimeValue", "a lot");
    expect(await violations(twice)).toEqual(expect.arrayContaining(["email", "lifetimeValue"]));
    const surer = feedbackGraph({ sentimentScore: 1.5 });
    surer.createEntity("AnalyzerPair");
    expect(await violations(surer)).toEqual(["categoryAnalyzer", "sentimentAnalyzer", "sentimentScore"]);
    const bare = new ABIGraph();
    bare.createEntity("Feedback", { id: "F-2" });
    expect(await violations(bare)).toEqual(["hasCategory", "providedBy", "sentiment", "subject", "text", "timestamp"]);
  });

  it("accept every sentiment and category", async () => {
    for (const sentiment of SENTIMENTS) expect(await violations(feedbackGraph({ sentiment }))).toEqual([]);
    const graph = feedbackGraph();
    for (const category of CATEGORIES)
      graph.addProperty(namedNode("http://example.org/abi/Feedback/F-1"), "hasCategory", category);
    expect(await violations(graph)).toEqual([]);
  });

  it.each(["hasCategory", "statedCategory", "foundCategory"])("refuse an unknown category: %s", async (property) => {
    const graph = feedbackGraph();
    graph.addProperty(namedNode("http://example.org/abi/Feedback/F-1"), property, "weather");
    expect(await violations(graph)).toEqual([property]);
  });
});

describe("the vocabulary", () => {
  it("defines every term that the program uses, and no others", async () => {
    const defined = (await readTurtle(vocabularyUrl))
      .getSubjects(rdf.type, null, null)
      .map(({ value }) => value)
      .filter((value) => value.includes("#"));
    expect(defined.toSorted()).toEqual(
      Object.values(abi)
        .map(({ value }) => value)
        .toSorted(),
    );
  });

  it("gives a property a class only if no other class has it, so reasoning makes nothing something else", async () => {
    const [vocabulary, shapes] = await Promise.all([readTurtle(vocabularyUrl), readTurtle(shapesUrl)]);
    const contradictions = shapes.getQuads(null, `${SH}targetClass`, null, null).flatMap(({ subject, object: type }) =>
      shapes
        .getObjects(subject, `${SH}property`, null)
        .flatMap((property) => shapes.getObjects(property, `${SH}path`, null))
        .filter((path) => vocabulary.getObjects(path, `${RDFS}domain`, null).some((domain) => !domain.equals(type)))
        .map((path) => `${type.value} ${path.value}`),
    );
    expect(contradictions).toEqual([]);
  });
});
