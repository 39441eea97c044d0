// An agent with the tools of the customer feedback workflow. It remembers the conversation of each
// thread.
// node examples/agent.ts                      with the offline demo model
// OPENAI_API_KEY=… node examples/agent.ts     with a language model
// In a checkout: npm run example examples/agent.ts
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } from "abi-workflows/agents";
import { readSettings, type ToolProgress } from "abi-workflows";
import { createCustomerFeedbackTools } from "abi-workflows/tools";

const dataDirectory = await mkdtemp(`${tmpdir()}/abi-workflows-agent-`);
const toolkit = await createCustomerFeedbackTools({
  dataDirectory,
  customerSource: fileURLToPath(new URL("data/customers.csv", import.meta.url)),
  // An example must not send email, whatever MAIL_URL says.
  mailUrl: `outbox:${dataDirectory}/outbox`,
});
const agent = await createFeedbackAgent({
  tools: toolkit.getTools(),
  model: await createChatModel(readSettings()),
  checkpointer: new SqliteCheckpointSaver(`${dataDirectory}/conversations.sqlite`),
});

const requests = [
  "Process feedback F-1 from customer C-1007, subject 'Dashboard': The new dashboard is excellent, thank you!",
  "What is the sentiment of: The checkout crashes every time.",
];
for (const request of requests) {
  console.log(`\n> ${request}`);
  const { text, toolCalls } = await agent.ask(request, {
    threadId: "anna",
    onToolStart: ({ name }) => console.log(`  ${name}`),
    onToolProgress: (_, progress) => {
      const { step, phase } = progress as ToolProgress;
      if (phase === "completed") console.log(`  · ${step}`);
    },
  });
  console.log(text);
  assert.ok(toolCalls.length > 0, "the agent has called no tool");
  for (const { failed, artifact } of toolCalls) {
    // A workflow's tools don't throw: they return a result with `success: false`.
    assert.ok(!failed && (artifact as { success?: boolean }).success !== false, "a tool has failed");
  }
}
const [run] = await toolkit.workflow.listWorkflows();
assert.equal(run?.status, "completed");

await agent.close();
await toolkit.close();
await rm(dataDirectory, { recursive: true });
