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

  it("says that it does not know if it can't read the language", async () => {
    const state = "Der Support antwortet leider nicht und die Rechnung ist falsch.";
    const { choices } = await model.invoke({ state, questions: FEEDBACK_QUESTIONS });
    expect(choices.sentiment).toMatchObject({ choice: "neutral", confidence: 0 });
    expect(choices.sentiment.probabilities.neutral).toBeCloseTo(1 / 3);
  });

  it("can answer some of the questions, and names those it knows", async () => {
    const { sentiment, bug } = FEEDBACK_QUESTIONS;
    const { answers } = await model.invoke({ state: "It crashes", questions: { bug } });
    expect(Object.keys(answers)).toEqual(["bug"]);
    await expect(model.invoke({ state: "It crashes", questions: { mood: sentiment } })).rejects.toThrow(
      /sentiment, product/,
    );
    await expect(model.invoke({ state: "It crashes", questions: { bug: sentiment } })).rejects.toThrow(
      "FEEDBACK_QUESTIONS.bug",
    );
    await expect(model.invoke({ state: [], questions: { bug } })).rejects.toThrow("text of the feedback");
  });

  it.each([
    ["instructions", "bug", { ...FEEDBACK_QUESTIONS.bug, instructions: "Does the text speak of insects?" }],
    ["criteria", "bug", { ...FEEDBACK_QUESTIONS.bug, criteria: { true: "insects" } }],
    ["labels", "sentiment", { ...FEEDBACK_QUESTIONS.sentiment, criteria: { happy: "", sad: "" } }],
  ])("refuses a question with different %s", async (_, id, question) => {
    await expect(model.invoke({ state: "It crashes", questions: { [id]: question } })).rejects.toThrow(
      `The question "${id}" asks something other than FEEDBACK_QUESTIONS.${id}.`,
    );
  });

  it("calls only the analyser that it needs, and passes on the signal", async () => {
    const asked: [string, AbortSignal | undefined][] = [];
    const watched = new FeedbackDecisionModel({
      sentimentAnalyzer: {
        name: "s",
        version: "1",
        analyze: (text, { signal } = {}) => {
          asked.push(["sentiment", signal]);
          return embedded.sentimentAnalyzer.analyze(text);
        },
      },
      feedbackCategorizer: {
        name: "c",
        version: "1",
        categorize: (text, { signal } = {}) => {
          asked.push(["categories", signal]);
          return embedded.feedbackCategorizer.categorize(text);
        },
      },
    });
    const { signal } = new AbortController();
    const { sentiment, bug } = FEEDBACK_QUESTIONS;
    expect((await watched.invoke({ state: "It crashes", questions: { bug } }, { signal })).model).toBe("c 1");
    expect((await watched.invoke({ state: "It crashes", questions: { sentiment } }, { signal })).model).toBe("s 1");
    expect(asked).toEqual([
      ["categories", signal],
      ["sentiment", signal],
    ]);
  });

  it("names the analyser that answered instead of the chat model", async () => {
    const server = await startOpenAiServer([]);
    onTestFinished(() => server.close());
    const chatModel = new ChatOpenAI({
      model: "m",
      apiKey: "k",
      maxRetries: 0,
      configuration: { baseURL: server.url },
    });
    const analyzers = createChatModelAnalyzers({ model: chatModel, modelName: "m", fallback: embedded });
    const response = await new FeedbackDecisionModel(analyzers).invoke({ state: "Hi!", questions: FEEDBACK_QUESTIONS });
    const { sentimentAnalyzer: s, feedbackCategorizer: c } = embedded;
    expect(response.model).toBe(`${s.name} ${s.version}, ${c.name} ${c.version}`);
  });

  it("names the missing analyser", () => {
    expect(() => new FeedbackDecisionModel({} as never)).toThrow("needs a sentimentAnalyzer");
  });

  it("sends a chat model each different text of a batch once, within the configured concurrency", async () => {
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
