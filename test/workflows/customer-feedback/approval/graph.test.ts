import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "../../../../src/framework/validation.ts";
import { select } from "../../../../src/ontology/queries.ts";
import { PREFIXES } from "../../../../src/ontology/vocabulary.ts";
import { questionOperation } from "../../../../src/questions/question-operation.ts";
import { CUSTOMER_FEEDBACK_QUESTIONS } from "../../../../src/workflows/customer-feedback/questions.ts";
import { ResponseDrafts } from "../../../../src/workflows/customer-feedback/responses/response-drafts.ts";
import { breakableStore, by, pendingOf, setCustomer, startWaiting } from "../../../support/approval.ts";
import { feedback, startFeedback } from "../../../support/feedback.ts";
import { temporaryFolder } from "../../../support/folder.ts";
import { shaclViolations } from "../../../support/shacl.ts";

describe("what approval leaves behind", () => {
  it("conforms to the package's shapes, and says who decided what, and when", async () => {
    const { workflow, id, pending, ontologyStore } = await startWaiting();
    const edit = { rendering: pending.rendering, by, text: "My words." };
    const { edited_rendering, decided_at } = await workflow.editResponse(id, edit);
    await workflow.getWorkflowResult(id);
    const { workflow_id: other = "" } = await workflow.run(feedback({ feedback_id: "F-2" }));
    const { rendering } = await pendingOf(workflow, other);
    await workflow.rejectResponse(other, { rendering, by: "Bob", reason: "No need." });
    await workflow.getWorkflowResult(other);
    const graph = await ontologyStore.getGraph("feedback_data");
    expect(await shaclViolations(graph)).toEqual([]);
    const broken = graph.filter(({ predicate }) => !/#(?:recipient|wasAssociatedWith)$/.test(predicate.value));
    expect(await shaclViolations(broken)).toEqual(expect.arrayContaining(["recipient", "wasAssociatedWith"]));
    const rows = await select(
      ontologyStore,
      "feedback_data",
      `${PREFIXES} SELECT ?feedback ?decision ?name ?reason ?time ?edited WHERE {
         ?f abi:hasDraft ?draft ; abi:id ?feedback .
         ?d prov:used ?draft ; abi:decision ?decision ; prov:wasAssociatedWith/abi:name ?name ; prov:endedAtTime ?time .
         OPTIONAL { ?d abi:reason ?reason }
         OPTIONAL { ?e prov:wasGeneratedBy ?d ; prov:wasRevisionOf ?draft ; abi:id ?edited }
       } ORDER BY ?feedback`,
    );
    const told = rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, term]) => [name, term.value])));
    expect(told).toEqual([
      { feedback: "F-1", decision: "edit", name: by, time: expect.any(String), edited: edited_rendering },
      { feedback: "F-2", decision: "reject", name: "Bob", time: expect.any(String), reason: "No need." },
    ]);
    expect(new Date(told[0]!["time"]!).toISOString()).toBe(decided_at);
  });

  it("includes the labels that a person stated, with their name and the time", async () => {
    const { workflow, id, pending, ontologyStore } = await startWaiting();
    expect(pending).toMatchObject({ sentiment: "positive", categories: ["product"] });
    const rejection = { rendering: pending.rendering, by, sentiment: "Negative", categories: ["service", "bug"] };
    const decided = await workflow.rejectResponse(id, rejection);
    const right = { sentiment: "negative", categories: ["service", "bug"] };
    expect(decided).toMatchObject(right);
    await workflow.getWorkflowResult(id);

    const others = workflow.rejectResponse(id, { ...rejection, sentiment: "neutral" });
    await expect(others).rejects.toMatchObject({ code: "already_decided", standing: expect.objectContaining(right) });
    expect(await workflow.rejectResponse(id, { ...rejection, categories: ["bug", "service"] })).toEqual(decided);

    const rows = await select(
      ontologyStore,
      "feedback_data",
      `${PREFIXES} SELECT ?sentiment ?category ?name ?time ?judged WHERE {
         ?f abi:hasDraft ?draft ; abi:sentiment ?judged .
         ?d prov:used ?draft ; prov:wasAssociatedWith/abi:name ?name ; prov:endedAtTime ?time ;
           abi:reviewedSentiment ?sentiment ; abi:reviewedCategory ?category .
       } ORDER BY ?category`,
    );
    const told = rows.map((row) => Object.values(row).map((term) => term.value));
    const facts = [by, expect.any(String), "positive"];
    expect(told).toEqual([
      ["negative", "bug", ...facts],
      ["negative", "service", ...facts],
    ]);
    expect(new Date(rows[0]!["time"]!.value).toISOString()).toBe(decided.decided_at);
    const graph = await ontologyStore.getGraph("feedback_data");
    expect(await shaclViolations(graph)).toEqual([]);
  });

  it("says what became of the email", async () => {
    const { workflow, id, pending, ontologyStore } = await startWaiting();
    const question = CUSTOMER_FEEDBACK_QUESTIONS.find(({ name }) => name === "look_up_feedback")!;
    const ask = questionOperation(question, { queryRunner: ontologyStore.queryRunner });
    const mailOf = async (feedback_id: string): Promise<unknown> => {
      const answer = await ask.run(parse(ask.input, { feedback_id }), {});
      return (parse(ask.output, answer) as { rows: { mail: string }[] }).rows[0]?.mail;
    };
    expect(await mailOf("F-1")).toBe("pending");
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    expect(await mailOf("F-1")).toBe("sent");
    for (const [feedback_id, outcome] of [
      ["F-2", "rejected"],
      ["F-3", "withheld"],
    ] as const) {
      const { workflow_id: other = "" } = await workflow.run(feedback({ feedback_id }));
      const { rendering } = await pendingOf(workflow, other);
      if (outcome === "withheld") {
        await setCustomer(ontologyStore, "abi:doNotContact", true);
        await workflow.approveResponse(other, { rendering, by });
      } else await workflow.rejectResponse(other, { rendering, by });
      await workflow.getWorkflowResult(other);
      expect(await mailOf(feedback_id)).toBe(outcome);
    }
    expect(await shaclViolations(await ontologyStore.getGraph("feedback_data"))).toEqual([]);
  });

  it("never makes an email a revision of itself if a person's edit changes nothing", async () => {
    const { workflow, id, pending, ontologyStore, mails } = await startWaiting();
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    await workflow.editResponse(id, { rendering: pending.rendering, by, text: "Mine." });
    await workflow.getWorkflowResult(id);
    const { rendering } = await pendingOf(workflow, id);
    const again = await workflow.editResponse(id, { rendering, by, text: "Mine." });
    expect(again.edited_rendering).toBe(rendering);
    await workflow.getWorkflowResult(id);
    expect(mails.mails.map(({ envelope, parsed }) => [envelope.to, parsed.text])).toEqual([
      [["new@example.org"], "Mine.\n"],
    ]);
    const rows = await select(
      ontologyStore,
      "feedback_data",
      `${PREFIXES} SELECT ?draft WHERE { ?draft prov:wasRevisionOf|prov:wasGeneratedBy/prov:used ?draft }`,
    );
    expect(rows).toEqual([]);
    expect(await shaclViolations(await ontologyStore.getGraph("feedback_data"))).toEqual([]);
  });

  it("includes the mail server's first answer, and the email that replaces the refused one", async () => {
    const { ontologyStore } = await breakableStore();
    onTestFinished(() => ontologyStore.close());
    const drafts = new ResponseDrafts(ontologyStore);
    const message = { from: "a@b.example", to: "c@d.example", subject: "S", text: "T", html: "H", messageId: "<m@b>" };
    const draft = { message: { ...message, headers: {} } };
    const rendering = await drafts.store("F-1", draft, { runId: "workflow-1" });
    await drafts.recordRefusal(rendering, "554 looks like spam");
    await drafts.recordRefusal(rendering, "554 looks like spam, still");
    const second = await drafts.store("F-1", { ...draft, refused: { rendering } }, { runId: "workflow-1" });
    expect(await drafts.find("F-1", second)).toMatchObject({
      message,
      refused: { rendering, refusal: "554 looks like spam" },
    });
  });

  it("puts no customer's name or address, and no email, into the engine's state", async () => {
    const runs = join(temporaryFolder(), "runs.sqlite");
    const { workflow, engine } = await startFeedback({ approval: true }, { runs });
    const ids: string[] = [];
    for (const [n, customer_id] of ["C-1", "C-vip"].entries()) {
      const { workflow_id: id = "" } = await workflow.run(feedback({ feedback_id: `F-${n}`, customer_id }));
      const { rendering } = await pendingOf(workflow, id);
      if (n === 0) await workflow.editResponse(id, { rendering, by, text: "Dear Ada Lovelace, this is between us." });
      if (n === 0) await workflow.getWorkflowResult(id);
      ids.push(id);
    }
    expect(await workflow.getWorkflowStatus(ids[1]!)).toMatchObject({ status: "waiting_for_approval" });
    await engine.close();
    const kept = ["", "-wal"].map((suffix) => {
      try {
        return readFileSync(runs + suffix, "latin1");
      } catch {
        return "";
      }
    });
    expect(kept.join()).toContain("Ann Ford");
    expect(kept.join()).not.toMatch(/ada@|grace@|Lovelace|Hopper|between us|Thank you for/i);
  });
});
