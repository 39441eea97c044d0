import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { createChatModel, createFeedbackAgent } from "../../../agents/index.ts";
import { reply, startOpenAiServer, status } from "../../support/openai-server.ts";

test("waits as long as the service asks, and not at all beyond the usual where it asks nothing", async () => {
  // The real timers, watched: what is asked of them is known without measuring time.
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
