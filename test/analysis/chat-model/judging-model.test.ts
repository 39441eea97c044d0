import { describe, expect, it, onTestFinished } from "vitest";
import { Judge } from "../../../src/analysis/chat-model/judge.ts";
import type { Judgement } from "../../../src/analysis/chat-model/judgement.ts";
import { openJudgingModel } from "../../../src/analysis/chat-model/judging-model.ts";
import { startOpenAiServer, status, toolCall, type ScriptStep } from "../../support/openai-server.ts";

const JUDGEMENT: Judgement = { language: "en", sentiment: "positive", confidence: 1, evidence: [], categories: [] };

async function judgeAt(...script: ScriptStep[]) {
  const server = await startOpenAiServer([...script, toolCall("judge_feedback", JUDGEMENT)]);
  onTestFinished(() => server.close());
  const { model } = await openJudgingModel({ openaiBaseUrl: server.url });
  return { server, judgement: new Judge({ model, timeoutMs: 20_000 }).judge("Fine") };
}

describe("the model behind OpenAI's API", () => {
  it.each([
    ["too many requests, without a word on when", [status(429)]],
    ["too many requests, come back in a second", [status(429, { retryAfter: 1 })]],
    ["a service that fails twice", [status(503), status(500)]],
  ])("is retried on %s", async (_, script) => {
    const { server, judgement } = await judgeAt(...script);
    expect(await judgement).toMatchObject({ sentiment: "positive" });
    expect(server.requests).toHaveLength(script.length + 1);
  });

  it.each([
    ["more time than there is", status(429, { retryAfter: 30 }), 429],
    ["an empty account", status(429, { message: "You exceeded your current quota" }), 429],
    ["a refused key", status(401), 401],
    ["a request that it does not take", status(422), 422],
  ])("is not retried on %s", async (_, step, code) => {
    const { server, judgement } = await judgeAt(step);
    await expect(judgement).rejects.toMatchObject({ status: code });
    expect(server.requests).toHaveLength(1);
  });
});
