// The tools bound to a chat model by hand, without an agent: the model plans calls, we run them,
// and the model sums up.
// OPENAI_API_KEY=… node examples/bind-tools.ts
// OPENAI_BASE_URL=http://localhost:11434/v1 OPENAI_MODEL=… node examples/bind-tools.ts
// In a checkout: npm run example examples/bind-tools.ts
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { HumanMessage, type BaseMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { readSettings } from "abi-workflows";
import { createCustomerFeedbackTools } from "abi-workflows/tools";

const { openaiApiKey, openaiBaseUrl, openaiModel = "gpt-5.4-mini" } = readSettings();
if (openaiApiKey === undefined && openaiBaseUrl === undefined) {
  console.log("This example needs a language model. Set OPENAI_API_KEY, or OPENAI_BASE_URL for another service.");
  process.exit(0);
}
const dataDirectory = await mkdtemp(`${tmpdir()}/abi-workflows-bind-tools-`);
const toolkit = await createCustomerFeedbackTools({
  dataDirectory,
  customerSource: fileURLToPath(new URL("data/customers.csv", import.meta.url)),
  mailUrl: `outbox:${dataDirectory}/outbox`,
});
const model = new ChatOpenAI({
  model: openaiModel,
  apiKey: openaiApiKey ?? "no-key",
  ...(openaiBaseUrl === undefined ? {} : { configuration: { baseURL: openaiBaseUrl } }),
}).bindTools(toolkit.workflow.as_tools(), { strict: true });

const messages: BaseMessage[] = [
  new HumanMessage("Customer C-1002 wrote, subject 'Invoice': 'You charged me twice.' Process it, feedback id F-1."),
];
const plan = await model.invoke(messages);
messages.push(plan);
for (const call of plan.tool_calls ?? []) {
  const tool = toolkit.getTools().find(({ name }) => name === call.name);
  assert.ok(tool, `the model has made up the tool ${call.name}`);
  // A tool that is invoked with a tool call returns the message for the model, with the whole
  // result as its artifact.
  const answer: BaseMessage = await tool.invoke({ ...call, type: "tool_call" });
  console.log(call.name, answer.content);
  messages.push(answer);
}
assert.ok(messages.length > 2, "the model has planned no call");
console.log((await model.invoke(messages)).text);

await toolkit.close();
await rm(dataDirectory, { recursive: true });
