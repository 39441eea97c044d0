import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openChat, SqliteCheckpointSaver } from "../../agents/index.ts";
import { openApplication } from "../../src/application/application.ts";
import type { Chat } from "../../src/interfaces/http/chat.ts";
import { silentLogger } from "../../src/log.ts";
import { readSettings } from "../../src/application/settings.ts";
import { SCOPES, type Scope } from "../../src/framework/operation.ts";
import { temporaryFolder } from "../support/folder.ts";
import { reply, startOpenAiServer, toolCall } from "../support/openai-server.ts";

test("closing the chat keeps its memory open until the last agent has finished", async () => {
  const closed = Promise.withResolvers<void>();
  const close = { now: (): Promise<void> => Promise.resolve() };
  await using model = await startOpenAiServer([
    toolCall("analyze_feedback_sentiment", { text: "I love it" }),
    () => {
      closed.resolve(close.now());
      return reply("too late");
    },
  ]);
  const dataDirectory = temporaryFolder();
  const settings = readSettings({ dataDirectory, openaiBaseUrl: model.url }, {});
  const application = await openApplication(settings, silentLogger);
  onTestFinished(() => application.close());
  const chat: Chat = await openChat(application, settings);
  close.now = () => chat.close();
  const caller = (name: string, ...scopes: Scope[]) => ({ name, scopes: new Set(scopes) });

  // An agent with other scopes, which has nothing to finish.
  await chat.conversation({ caller: caller("ben", "feedback:read"), threadId: "idle" });
  const { signal } = new AbortController();
  const events = chat.ask("What is it?", { caller: caller("ann", ...SCOPES), threadId: "busy", signal });
  const codes = (await Array.fromAsync(events)).map((event) => (event.type === "error" ? event.error_code : ""));
  expect(codes).not.toContain("memory_unavailable");
  await closed.promise;

  const memory = new SqliteCheckpointSaver(join(dataDirectory, "conversations.sqlite"));
  onTestFinished(() => memory.close());
  // The agent's last act was to delete the intermediate steps.
  expect(await Array.fromAsync(memory.list({}))).toHaveLength(1);
});
