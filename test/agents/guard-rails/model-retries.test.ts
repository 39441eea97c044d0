import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { createChatModel, createFeedbackAgent } from "../../../agents/index.ts";
import { reply, startOpenAiServer, status } from "../../support/openai-server.ts";

test("the agent waits as long as the service asks, and otherwise adds no delay to the default", async () => {
  // Spies on the real timers, so the delays are known without measuring time.
  const wait = vi.spyOn(timers, "setTimeout");
  syncBuiltinESMExports();
  onTestFinished(() => {
    wait.mockRestore();
    syncBuiltinESMExports();
  });
  await using server = await startOpenAiServer([status(429, { retryAfter: 0.125 }), status(500), reply("Here I am.")]);
  const agent = await createFeedbackAgent({ model: await createChatModel({ openaiBaseUrl: server.url }), tools: [] });
  onTestFinished(() => agent.close());
  expect((await agent.ask("Hi")).text).toBe("Here I am.");
  expect(wait.mock.calls.map(([delay]) => delay)).toEqual([125, 0]);
});
