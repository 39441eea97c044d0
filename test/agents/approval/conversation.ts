import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } from "../../../agents/index.ts";
import { openApplication } from "../../../src/application/application.ts";
import { readSettings } from "../../../src/application/settings.ts";
import { withoutAbsent } from "../../../src/json.ts";

/** An agent on files in a folder, as in a real program: emails wait for approval, conversations are stored. */
export async function openConversation(folder: string, openaiBaseUrl: string | undefined, mailUrl?: string) {
  const customerSource = join(folder, "customers.csv");
  writeFileSync(customerSource, "id,name,email\nC-1,Ada,ada@example.org\n");
  const dataDirectory = join(folder, "data");
  const settings = readSettings({ dataDirectory, customerSource, approval: true, ...withoutAbsent({ mailUrl }) });
  const application = await openApplication(settings);
  const agent = await createFeedbackAgent({
    tools: application.workflow.as_tools(),
    model: await createChatModel({ openaiBaseUrl }),
    checkpointer: new SqliteCheckpointSaver(join(dataDirectory, "conversations.sqlite")),
    approval: { workflow: application.workflow },
  });
  return { application, agent };
}
