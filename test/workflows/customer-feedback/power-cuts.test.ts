import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EmailIntegration } from "../../../src/integrations/email/email-integration.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { feedback, startFeedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { watchCommits } from "../../support/sqlite-commits.ts";

/** Processes one piece of feedback. Gives what the databases were told before each effect outside, and after the last one. */
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
  // The first one also brings its customer.
  await workflow.run(feedback({ ...fields, feedback_id: "F-0" }));
  taken();
  told.length = 0;
  expect(await workflow.run(feedback(fields))).toMatchObject({ success: true });
  effect("end");
  return told;
}

describe("before something leaves that can't be taken back", () => {
  describe.each([
    ["one file", { runs: "data.sqlite", graph: "data.sqlite" }],
    ["two files", { runs: "runs.sqlite", graph: "graph.sqlite" }],
  ])("with runs and graph in %s", (_, names) => {
    it.each([
      ["praise", { feedback_text: "The product is great!" }, ["mail", "end"]],
      ["an escalation", { customer_id: "C-vip" }, ["ticket", "mail", "end"]],
    ])("all that it follows from is on disk: %s", async (_, fields, effects) => {
      const told = await process(names, fields);
      const after = told.map(([effect, before]) => [effect, before.slice(before.lastIndexOf("flush"))]);
      expect(after).toEqual(effects.map((effect) => [effect, ["flush"]]));
    });
  });

  it("nothing is flushed that may as well be done again: four flushes for an answer, where all is in one file", async () => {
    const told = await process({ runs: "data.sqlite", graph: "data.sqlite" }, {});
    const flushes = told.map(([effect, before]) => [effect, before.filter((what) => what === "flush").length]);
    // When it is accepted and before the email leaves; that it has left, and the end.
    expect(flushes).toEqual([
      ["mail", 2],
      ["end", 2],
    ]);
  });
});
