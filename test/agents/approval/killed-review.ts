// Run by a test as a process of its own: asks until a mail waits for a person, says which, and waits to be killed.
import { openConversation } from "./conversation.ts";

const [folder = "", url] = process.argv.slice(2);
setInterval(() => undefined, 60_000);
const { agent } = await openConversation(folder, url);
const { review } = await agent.ask("Process F-1", { threadId: "anna" });
process.stdout.write(`${JSON.stringify(review)}\n`);
