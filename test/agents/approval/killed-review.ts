// A test runs this as a separate process and kills it. It asks the agent until an email waits for a person, and prints which one.
// With a third argument, Ann then approves the email, which goes to the mail server at this address.
import { openConversation } from "./conversation.ts";

const [folder = "", url, mailUrl] = process.argv.slice(2);
setInterval(() => undefined, 60_000);
const { agent } = await openConversation(folder, url, mailUrl);
const { review } = await agent.ask("Process F-1", { threadId: "anna" });
process.stdout.write(`${JSON.stringify(review)}\n`);
if (mailUrl !== undefined) await agent.decide([{ type: "approve" }], { threadId: "anna", by: "Ann" });
