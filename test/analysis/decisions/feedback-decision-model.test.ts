import { ChatOpenAI } from "@langchain/openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { createChatModelAnalyzers } from "../../../src/analysis/chat-model/chat-model-analyzers.ts";
import { FeedbackDecisionModel } from "../../../src/analysis/decisions/feedback-decision-model.ts";
import { FEEDBACK_QUESTIONS } from "../../../src/analysis/decisions/feedback-questions.ts";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { startOpenAiServer, toolCall } from "../../support/openai-server.ts";

const embedded = {
  sentimentAnalyzer: new EmbeddedSentimentAnalyzer(),
  feedbackCategorizer: new EmbeddedFeedbackCategorizer(),
};
const model = new FeedbackDecisionModel(embedded);

describe("FeedbackDecisionModel", () => {
  it("answers with labels and probabilities, as the analysers do", async () => {
    const text = "I was charged twice and nobody answers!";
    const { choices, nouls } = await model.invoke({ state: text, questions: FEEDBACK_QUESTIONS });
    const { sentiment, score } = embedded.sentimentAnalyzer.analyze(text);
    expect(choices.sentiment).toMatchObject({ choice: sentiment, confidence: score });
    expect(choices.sentiment.probabilities[sentiment]).toBe(score);
    const all = Object.values(choices.sentiment.probabilities);
    expect(all.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1);
    expect(nouls.billing.noul).toBe(embedded.feedbackCategorizer.categorize(text).scores.billing);
    expect(nouls.legal.noul).toBe(0);
  });

  it("says that it does not know where it can't read", async () => {
    const state = "Der Support antwortet leider nicht und die Rechnung ist falsch.";
    const { choices } = await model.invoke({ state, questions: FEEDBACK_QUESTIONS });
    expect(choices.sentiment).toMatchObject({ choice: "neutral", confidence: 0 });
    expect(choices.sentiment.probabilities.neutral).toBeCloseTo(1 / 3);
  });

  it("answers some of the questions, and says which ones it knows", async () => {
    const { sentiment, bug } = FEEDBACK_QUESTIONS;
    const { answers } = await model.invoke({ state: "It crashes", questions: { bug } });
    expect(Object.keys(answers)).toEqual(["bug"]);
    await expect(model.invoke({ state: "It crashes", questions: { mood: sentiment } })).rejects.toThrow(
      /sentiment, product/,
    );
    await expect(model.invoke({ state: "It crashes", questions: { bug: sentiment } })).rejects.toThrow(
      "FEEDBACK_QUESTIONS",
    );
    await expect(model.invoke({ state: [], questions: { bug } })).rejects.toThrow("text of the feedback");
  });

  it("asks a chat model once for each different text of a batch, so many at a time as is said", async () => {
    let working = 0;
    let most = 0;
    const judgement = { language: "en", sentiment: "positive", confidence: 0.7, evidence: [], categories: [] };
    const server = await startOpenAiServer(Array.from({ length: 6 }, () => toolCall("judge_feedback", judgement)));
    onTestFinished(() => server.close());
    const chatModel = new ChatOpenAI({ model: "m", apiKey: "k", configuration: { baseURL: server.url } });
    const analyzers = createChatModelAnalyzers({ model: chatModel, modelName: "m", fallback: embedded });
    const counted = new FeedbackDecisionModel({
      ...analyzers,
      sentimentAnalyzer: {
        ...analyzers.sentimentAnalyzer,
        analyze: async (text, options) => {
          most = Math.max(most, ++working);
          try {
            return await analyzers.sentimentAnalyzer.analyze(text, options);
          } finally {
            working -= 1;
          }
        },
      },
    });
    const texts = ["one", "two", "one", "three", "four", "two", "five", "six"];
    const inputs = texts.map((state) => ({ state, questions: FEEDBACK_QUESTIONS }));
    const responses = await counted.batch(inputs, { maxConcurrency: 3 });
    expect(responses.map(({ choices }) => choices["sentiment"]?.choice)).toEqual(texts.map(() => "positive"));
    expect(server.requests).toHaveLength(6);
    expect(most).toBe(3);
  });
});
