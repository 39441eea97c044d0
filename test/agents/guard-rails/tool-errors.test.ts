import { join } from "node:path";
import { DynamicStructuredTool } from "@langchain/core/tools";
import { Command, interrupt } from "@langchain/langgraph";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } from "../../../agents/index.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { reply, startOpenAiServer, toolCall } from "../../support/openai-server.ts";

test("a tool can pause the agent's run for a person's answer, which it gets when the run continues", async () => {
  await using server = await startOpenAiServer([toolCall("refund", { amount: 5 }), reply("Done.")]);
  const refund = new DynamicStructuredTool({
    name: "refund",
    description: "asks before it pays",
    schema: z.object({ amount: z.number() }),
    func: async ({ amount }) => `The person says: ${interrupt<string, string>(`Refund ${amount}?`)}.`,
  });
  const feedbackAgent = await createFeedbackAgent({
    model: await createChatModel({ openaiBaseUrl: server.url }),
    tools: [refund],
    checkpointer: new SqliteCheckpointSaver(join(temporaryFolder(), "conversations.sqlite")),
  });
  onTestFinished(() => feedbackAgent.close());
  const config = { configurable: { thread_id: "t-1" } };

  const paused = await feedbackAgent.agent.invoke({ messages: "Refund 5" }, config);
  expect(paused).toMatchObject({ __interrupt__: [{ value: "Refund 5?" }] });
  expect(server.requests).toHaveLength(1);

  const { messages } = await feedbackAgent.agent.invoke(new Command({ resume: "yes" }), config);
  expect(messages.at(-1)?.text).toBe("Done.");
  expect(server.requests[1]?.body.messages.at(-1)?.content).toBe("The person says: yes.");
});
