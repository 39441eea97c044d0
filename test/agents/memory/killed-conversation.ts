// A test runs this as a separate process. It starts a conversation whose tool never ends, says so, and waits to be killed.
import { DynamicStructuredTool } from "@langchain/core/tools";
import { z } from "zod";
import { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } from "../../../agents/index.ts";

const [file = "", openaiBaseUrl] = process.argv.slice(2);
setInterval(() => undefined, 60_000);
const agent = await createFeedbackAgent({
  model: await createChatModel({ openaiBaseUrl }),
  checkpointer: new SqliteCheckpointSaver(file),
  tools: [
    new DynamicStructuredTool({
      name: "analyze_feedback_sentiment",
      description: "never ends",
      schema: z.object({ text: z.string() }),
      func: () => {
        process.stdout.write("in the tool\n");
        return new Promise<string>(() => undefined);
      },
    }),
  ],
});
await agent.ask("Look at x", { threadId: "anna" });
