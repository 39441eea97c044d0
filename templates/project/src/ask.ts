// Asks the agent a question: npm run ask "Refund 30 for order O-7. The refund's id is R-1."
import { openApplication, readSettings } from "abi-workflows";
import { createChatModel } from "abi-workflows/agents";
import { createRefundAgent } from "./agent.ts";
import { createWorkflows } from "./workflows.ts";

const settings = readSettings();
const request = process.argv.slice(2).join(" ");
if (request === "" || (settings.openaiApiKey === undefined && settings.openaiBaseUrl === undefined)) {
  console.error('Say what the agent should do: npm run ask "Refund 30 for order O-7. The refund\'s id is R-1."');
  console.error(
    "It needs a language model: set OPENAI_API_KEY, or OPENAI_BASE_URL for another service, and OPENAI_MODEL.",
  );
  process.exit(2);
}

const application = await openApplication(settings, undefined, { createWorkflows });
try {
  const agent = createRefundAgent(await createChatModel(settings), application.service.workflows.get("refund")!);
  const { messages } = await agent.invoke({ messages: [{ role: "user", content: request }] });
  console.log(messages.at(-1)?.text);
} finally {
  await application.close();
}
