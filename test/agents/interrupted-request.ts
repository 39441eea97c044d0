// A test runs this as a separate process. It asks the agent once, gives up at SIGINT, and must then end by itself.
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
