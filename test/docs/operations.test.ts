import { join } from "node:path";
import { expect, it } from "vitest";
import { startSparqlEndpoint } from "../support/sparql-endpoint.ts";
import { createProject, filesOf, root, runNode } from "./documents.ts";

it("the program of the operations page copies the graph to an endpoint, and again without adding anything", async () => {
  const endpoint = await startSparqlEndpoint();
  const cwd = createProject(filesOf("docs/operations.md"));
  const command = join(root, "bin/abi-workflows.js");
  const feedback = ["--customer-id", "C-1001", "--subject", "Search", "--text", "I love the new search!"];
  const env = { CUSTOMER_SOURCE: "customers.csv" };
  const processed = await runNode([command, "process", "--feedback-id", "F-1", ...feedback], { cwd, env });
  expect(processed.code).toBe(0);
  const copy = () => runNode(["copy-graph.ts", ".abi-workflows/data.sqlite", `${endpoint.origin}/sparql`], { cwd });
  const first = await copy();
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toMatch(/^customer_data (\d+) \1\nfeedback_data (\d+) \2\n$/);
  expect(await copy()).toEqual(first);
});
