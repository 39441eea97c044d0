// Run by a test as a process of its own, which the test kills: asks until an email waits for a person, and says which. With a third
// argument, Ann then approves it; the email goes to the server at this address.
import { openConversation } from "./conversation.ts";

const [folder = "", url, mailUrl] = process.argv.slice(2);
setInterval(() => undefined, 60_000);
const { agent } = await openConversation(folder, url, mailUrl);
const { review } = await agent.ask("Process F-1", { threadId: "anna" });
process.stdout.write(`${JSON.stringify(review)}\n`);
if (mailUrl !== undefined) await agent.decide([{ type: "approve" }], { threadId: "anna", by: "Ann" });
