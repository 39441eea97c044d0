// Events from other systems: new feedback starts a run, and a person's answer is stored in the
// graph.
// node examples/events.ts
// In a checkout: npm run example examples/events.ts
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { openApplication, PREFIXES, readSettings, select } from "abi-workflows";

const dataDirectory = await mkdtemp(`${tmpdir()}/abi-workflows-events-`);
const customerSource = fileURLToPath(new URL("data/customers.csv", import.meta.url));
const mailUrl = `outbox:${dataDirectory}/outbox`;
const application = await openApplication(readSettings({ dataDirectory, customerSource, mailUrl }));
const { workflow, ontologyStore } = application;

// An email has come in. With its Message-ID, our answer becomes part of the same conversation. Its
// headers show whether it was sent automatically; an automatic email gets no answer.
const processed = await workflow.handleEvent("new_feedback", {
  id: "F-1",
  customer_id: "C-1003",
  subject: "Contract",
  text: "The new terms are not acceptable to us.",
  message_id: "<1234@mail.example.com>",
  headers: { "Auto-Submitted": "no", Received: ["from mail.example.com", "from phone.example.com"] },
});
console.log(processed);
assert.ok("success" in processed && processed.success);

// A person has answered the customer. The same event may come twice; it is stored once.
const answer = { feedback_id: "F-1", response_text: "We have talked on the phone; the old terms stay." };
const expected = { status: "success", feedback_id: "F-1", action: "response_recorded" };
assert.deepEqual(await workflow.handleEvent("feedback_response", answer), expected);
assert.deepEqual(await workflow.handleEvent("feedback_response", answer), expected);

const responses = await select(
  ontologyStore,
  "feedback_data",
  `${PREFIXES} SELECT ?text ?time { ?feedback abi:id ?id ; abi:hasResponse [ abi:text ?text ; abi:responseTime ?time ] }`,
  { id: "F-1" },
);
assert.deepEqual(
  responses.map(({ text }) => text?.value),
  [answer.response_text],
);

// For events that can't be processed, an error is returned, not thrown.
const unknown = await workflow.handleEvent("feedback_response", { ...answer, feedback_id: "F-404" });
assert.deepEqual(unknown, { status: "error", message: "Feedback F-404 not found" });
console.log(await workflow.handleEvent("feedback_lost", {}), await workflow.handleEvent("new_feedback", { id: "F-2" }));

await application.close();
await rm(dataDirectory, { recursive: true });
