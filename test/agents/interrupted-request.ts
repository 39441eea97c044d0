// Run by a test as a process of its own: asks once, gives up at SIGINT, and must then come to its end by itself.
import { createChatModel, createFeedbackAgent } from "../../agents/index.ts";
import { feedbackTools } from "./feedback-tools.ts";

const [, , openaiBaseUrl] = process.argv;
const controller = new AbortController();
process.once("SIGINT", () => controller.abort(new Error("interrupted")));
const agent = await createFeedbackAgent({ model: await createChatModel({ openaiBaseUrl }), tools: feedbackTools() });
try {
  await agent.ask("Hi", { signal: controller.signal });
} catch (error) {
  process.stdout.write(String(error));
}
