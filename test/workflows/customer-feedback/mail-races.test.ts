import { expect, it, vi } from "vitest";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { IoError } from "../../../src/errors.ts";
import { feedback, startFeedback } from "../../support/feedback.ts";
import { rawMail } from "../../support/raw-mail.ts";

/** Customer feedback whose customers are in the graph. */
async function start(configuration: Parameters<typeof startFeedback>[0] = {}) {
  const parts = await startFeedback(configuration);
  // Stores the addresses of these customers in the graph.
  const { response_id } = await parts.workflow.run(feedback());
  return { ...parts, response_id: response_id! };
}

it("if two emails with the same Message-ID arrive at once, both are held", async () => {
  const { workflow } = await start();
  const mail = (text: string) => rawMail({ From: "stranger@else.example", "Message-ID": "<same@x.example>" }, text);
  await Promise.all([workflow.receiveMail(mail("number 1")), workflow.receiveMail(mail("number 2"))]);
  const held = await Promise.all((await workflow.listHeldMails()).map(({ mail_id }) => workflow.getHeldMail(mail_id)));
  expect(held.map(({ text }) => text).toSorted()).toEqual(["number 1", "number 2"]);
});

it("if two replies with the same Message-ID arrive at once, one is recorded and the other held", async () => {
  const { workflow, ontologyStore, response_id } = await start();
  const mail = (text: string) => rawMail({ "In-Reply-To": response_id, "Message-ID": "<same@x.example>" }, text);
  const receipts = await Promise.all([workflow.receiveMail(mail("Thanks 1")), workflow.receiveMail(mail("Thanks 2"))]);
  expect(receipts.map(({ status }) => status).toSorted()).toEqual(["needs_person", "recorded"]);
  const quads = await ontologyStore.getGraph("feedback_data");
  const noted = quads.flatMap(({ object }) => (object.value.startsWith("Thanks") ? [object.value] : []));
  const [held] = await workflow.listHeldMails();
  expect([...noted, (await workflow.getHeldMail(held!.mail_id)).text].toSorted()).toEqual(["Thanks 1", "Thanks 2"]);
});

it("a reply that was recorded as a complaint is processed, however it is judged when it arrives again", async () => {
  const sentimentAnalyzer = new EmbeddedSentimentAnalyzer();
  const feedbackCategorizer = new EmbeddedFeedbackCategorizer();
  const { workflow, response_id } = await start({ sentimentAnalyzer, feedbackCategorizer });
  const raw = rawMail({ "In-Reply-To": response_id }, "This is terrible, you have charged me twice!");
  vi.spyOn(workflow, "submit").mockRejectedValueOnce(new IoError("The process ends here."));
  await expect(workflow.receiveMail(raw)).rejects.toThrow("ends here");
  vi.spyOn(sentimentAnalyzer, "analyze").mockImplementation((text) => ({
    ...new EmbeddedSentimentAnalyzer().analyze(text),
    sentiment: "neutral",
  }));
  vi.spyOn(feedbackCategorizer, "categorize").mockImplementation((text) => ({
    ...new EmbeddedFeedbackCategorizer().categorize(text),
    categories: ["general"],
  }));
  expect(await workflow.receiveMail(raw)).toMatchObject({ status: "processing" });
});

it("an email that was assigned to a customer is not dismissed, even if both decisions come at once", async () => {
  const { workflow } = await start();
  await workflow.receiveMail(rawMail({ From: "stranger@else.example" }));
  const [held] = await workflow.listHeldMails();
  const { mail_id } = held!;
  await Promise.allSettled([
    workflow.assignHeldMail({ mail_id, customer_id: "C-1" }),
    workflow.dismissHeldMail(mail_id),
  ]);
  expect(await workflow.getHeldMail(mail_id)).toMatchObject({ status: "assigned" });
  await expect(workflow.dismissHeldMail(mail_id)).rejects.toMatchObject({ code: "already_decided" });
});
