import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EmailIntegration } from "../../../src/integrations/email/email-integration.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { feedback, startFeedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { watchCommits } from "../../support/sqlite-commits.ts";

/** Processes one piece of feedback. Returns what was done to the databases before each external effect, and after the last one. */
async function process(names: { runs: string; graph: string }, fields: Record<string, unknown>) {
  const folder = temporaryFolder();
  const { taken } = watchCommits();
  const told: [effect: string, before: string[]][] = [];
  const effect = (name: string) => told.push([name, taken()]);
  const { workflow } = await startFeedback(
    {
      ontologyStore: await OxigraphOntologyStore.open({ path: join(folder, names.graph) }),
      emailIntegration: new EmailIntegration({
        transport: { send: async () => void effect("mail"), close: async () => {} },
        from: "care@shop.example",
      }),
      ticketSystem: {
        createTicket: async () => {
          effect("ticket");
          return "T-1";
        },
      },
    },
    { runs: join(folder, names.runs) },
  );
  // The first piece also fetches its customer.
  await workflow.run(feedback({ ...fields, feedback_id: "F-0" }));
  taken();
  told.length = 0;
  expect(await workflow.run(feedback(fields))).toMatchObject({ success: true });
  effect("end");
  return told;
}

describe("before an irreversible effect", () => {
  describe.each([
    ["one file", { runs: "data.sqlite", graph: "data.sqlite" }],
    ["two files", { runs: "runs.sqlite", graph: "graph.sqlite" }],
  ])("with runs and graph in %s", (_, names) => {
    it.each([
      ["praise", { feedback_text: "The product is great!" }, ["mail", "end"]],
      ["an escalation", { customer_id: "C-vip" }, ["ticket", "mail", "end"]],
    ])("everything that led to it is on disk: %s", async (_, fields, effects) => {
      const told = await process(names, fields);
      const after = told.map(([effect, before]) => [effect, before.slice(before.lastIndexOf("flush"))]);
      expect(after).toEqual(effects.map((effect) => [effect, ["flush"]]));
    });
  });

  it("only work that can't be repeated is flushed: an answer takes four flushes with everything in one file", async () => {
    const told = await process({ runs: "data.sqlite", graph: "data.sqlite" }, {});
    const flushes = told.map(([effect, before]) => [effect, before.filter((what) => what === "flush").length]);
    // At acceptance, before the email leaves, after it has left, and at the end.
    expect(flushes).toEqual([
      ["mail", 2],
      ["end", 2],
    ]);
  });
});
