import { AIMessage } from "@langchain/core/messages";
import { Runnable } from "@langchain/core/runnables";
import { ChatOpenAI } from "@langchain/openai";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createChatModelAnalyzers } from "../../../src/analysis/chat-model/chat-model-analyzers.ts";
import type { Judgement } from "../../../src/analysis/chat-model/judgement.ts";
import { judgementPrompt } from "../../../src/analysis/chat-model/prompt.ts";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { serve } from "../../support/http.ts";
import {
  dropConnection,
  rawToolCall,
  reply,
  startOpenAiServer,
  status,
  toolCall,
  type OpenAiServer,
  type ScriptStep,
} from "../../support/openai-server.ts";

const TEXT = "Le colis est arrivé cassé, je veux parler à mon avocat.";
const JUDGEMENT: Judgement = {
  language: "fr",
  sentiment: "negative",
  confidence: 0.9,
  evidence: ["cassé"],
  categories: [
    { category: "legal", confidence: 0.7, evidence: ["mon avocat"] },
    { category: "service", confidence: 0.8, evidence: ["colis"] },
  ],
};
const judged = (changes: Partial<Judgement> = {}): ScriptStep =>
  toolCall("judge_feedback", { ...JUDGEMENT, ...changes });

const fallback = {
  sentimentAnalyzer: new EmbeddedSentimentAnalyzer(),
  feedbackCategorizer: new EmbeddedFeedbackCategorizer(),
};

const analyzersAt = (baseURL: string, options: { timeoutMs?: number } = {}) =>
  createChatModelAnalyzers({
    model: new ChatOpenAI({ model: "some-model", apiKey: "secret-key", maxRetries: 0, configuration: { baseURL } }),
    modelName: "some-model",
    fallback,
    ...options,
  });

async function start(...script: ScriptStep[]): Promise<ReturnType<typeof analyzersAt> & { server: OpenAiServer }> {
  const server = await startOpenAiServer(script);
  onTestFinished(() => server.close());
  return { server, ...analyzersAt(server.url) };
}

/** A model whose client is a function that is never told of signals. */
function modelWith(answer: () => Promise<Record<string, unknown>>): ChatOpenAI {
  class Client extends Runnable<unknown, Record<string, unknown>> {
    lc_namespace = ["test"];
    async invoke(): Promise<Record<string, unknown>> {
      return { raw: new AIMessage({ tool_calls: [{ name: "judge_feedback", args: await answer() }] }) };
    }
  }
  const model = new ChatOpenAI({ model: "some-model", apiKey: "none" });
  vi.spyOn(model, "withStructuredOutput").mockReturnValue(new Client() as never);
  return model;
}

describe("chat model analysers", () => {
  it("answer both questions, in any language, from one call", async () => {
    const { server, sentimentAnalyzer, feedbackCategorizer } = await start(judged());
    const [sentiment, categories] = await Promise.all([
      sentimentAnalyzer.analyze(TEXT),
      feedbackCategorizer.categorize(TEXT),
    ]);
    expect(sentiment).toEqual({ sentiment: "negative", score: 0.9, evidence: ["cassé"], language: "fr" });
    expect(categories).toEqual({
      categories: ["service", "legal"],
      scores: { service: 0.8, legal: 0.7 },
      evidence: { service: ["colis"], legal: ["mon avocat"] },
      language: "fr",
    });
    expect(await sentimentAnalyzer.analyze(TEXT)).toEqual(sentiment);
    expect(server.requests).toHaveLength(1);
  });

  it("name the model and the prompt in their version", () => {
    const { sentimentAnalyzer, feedbackCategorizer } = analyzersAt("http://127.0.0.1:9/v1");
    expect([sentimentAnalyzer.version, feedbackCategorizer.version]).toEqual(Array(2).fill("some-model, prompt 2"));
  });

  it("ask again for another text", async () => {
    const { server, sentimentAnalyzer } = await start(judged(), judged({ sentiment: "positive" }));
    expect((await sentimentAnalyzer.analyze("one")).sentiment).toBe("negative");
    expect((await sentimentAnalyzer.analyze("two")).sentiment).toBe("positive");
    expect(server.unused).toBe(0);
  });

  it("believe no quotation that is not in the text, no score beyond 1, and no language that is none", async () => {
    const { sentimentAnalyzer } = await start(
      judged({ evidence: ["refund", "cassé"], confidence: 7, language: "French!" }),
    );
    expect(await sentimentAnalyzer.analyze(TEXT)).toMatchObject({ evidence: ["cassé"], score: 1, language: "und" });
  });

  it.each([
    ["en-US", "en"],
    ["PT_br", "pt"],
    ["English", "und"],
    [undefined, "und"],
  ])("take the language %s for %s", async (told, language) => {
    const { sentimentAnalyzer } = await start(toolCall("judge_feedback", { ...JUDGEMENT, language: told }));
    expect(await sentimentAnalyzer.analyze(TEXT)).toEqual({
      sentiment: "negative",
      score: 0.9,
      evidence: ["cassé"],
      language,
    });
  });

  it("mend what can be mended, and keep the rest of the judgement", async () => {
    const { sentimentAnalyzer, feedbackCategorizer } = await start(
      toolCall("judge_feedback", {
        language: "fr",
        sentiment: "Negative",
        confidence: 0.9,
        categories: [
          { category: "shipping", confidence: 0.9, evidence: ["colis"] },
          { category: "Service", confidence: 0.8 },
          { category: "service", confidence: 0.1, evidence: ["colis"] },
        ],
      }),
    );
    expect(await sentimentAnalyzer.analyze(TEXT)).toEqual({
      sentiment: "negative",
      score: 0.9,
      evidence: [],
      language: "fr",
    });
    expect(await feedbackCategorizer.categorize(TEXT)).toEqual({
      categories: ["service"],
      scores: { service: 0.8 },
      evidence: { service: [] },
      language: "fr",
    });
  });

  it("do not send a text without a word", async () => {
    const { server, sentimentAnalyzer, feedbackCategorizer } = await start();
    expect(await sentimentAnalyzer.analyze(" \n")).toEqual(fallback.sentimentAnalyzer.analyze(" \n"));
    expect(await feedbackCategorizer.categorize("")).toEqual(fallback.feedbackCategorizer.categorize(""));
    expect(server.requests).toHaveLength(0);
  });

  it("say general only where nothing else is said", async () => {
    const general = { category: "general" as const, confidence: 0.4, evidence: [] };
    const { feedbackCategorizer } = await start(
      judged({ categories: [general, ...JUDGEMENT.categories] }),
      judged({ categories: [] }),
      toolCall("judge_feedback", { ...JUDGEMENT, categories: [{ category: "shipping", confidence: 1, evidence: [] }] }),
    );
    expect((await feedbackCategorizer.categorize("one")).categories).toEqual(["service", "legal"]);
    for (const text of ["no category", "an unknown one"]) {
      expect(await feedbackCategorizer.categorize(text)).toEqual({
        categories: ["general"],
        scores: { general: 0 },
        evidence: {},
        language: "fr",
      });
    }
  });

  it.each<[string, ScriptStep, string]>([
    ["a refused key", status(401), "the model service refused the key"],
    ["an unknown model", status(404), "the model service does not know the model"],
    ["too many requests", status(429), "the model service takes no more requests for now"],
    ["a server error", status(503), "the model service answered with status 503"],
    ["a broken connection", dropConnection(), "the model service could not be reached"],
    ["prose", reply("I think they are angry."), "the model's answer did not have the form that was asked for"],
    [
      "broken JSON",
      rawToolCall("judge_feedback", '{"sentiment": '),
      "the model's answer did not have the form that was asked for",
    ],
    [
      "an answer of another form",
      toolCall("judge_feedback", { ...JUDGEMENT, sentiment: "furious" }),
      "the model's answer did not have the form that was asked for",
    ],
    [
      "an answer without a confidence",
      toolCall("judge_feedback", { ...JUDGEMENT, confidence: undefined }),
      "the model's answer did not have the form that was asked for",
    ],
  ])("fall back on the embedded ones at %s, and say so", async (_, step, reason) => {
    // LangChain remarks on broken tool calls there.
    const remarks = vi.spyOn(console, "warn").mockReturnValue();
    onTestFinished(() => remarks.mockRestore());
    const { sentimentAnalyzer, feedbackCategorizer } = await start(step, step);
    expect(await sentimentAnalyzer.analyze("I was charged twice!")).toEqual({
      ...fallback.sentimentAnalyzer.analyze("I was charged twice!"),
      fallback: { from: "chat-model-sentiment", analyzer: { name: "embedded-sentiment", version: "4" }, reason },
    });
    expect(await feedbackCategorizer.categorize("I was charged twice!")).toMatchObject({
      categories: ["billing"],
      fallback: { from: "chat-model-categories", analyzer: { name: "embedded-categories" }, reason },
    });
  });

  it("ask again after a failure", async () => {
    const { sentimentAnalyzer } = await start(status(500), judged());
    expect(await sentimentAnalyzer.analyze(TEXT)).toHaveProperty("fallback");
    expect(await sentimentAnalyzer.analyze(TEXT)).not.toHaveProperty("fallback");
  });

  it("fall back where the service does not answer in time", async () => {
    const { origin } = await serve(() => {});
    const { sentimentAnalyzer } = analyzersAt(`${origin}/v1`, { timeoutMs: 50 });
    expect((await sentimentAnalyzer.analyze(TEXT)).fallback?.reason).toBe("the model service did not answer in time");
  });

  it("fall back in time even where the client does not heed the signal", async () => {
    const model = modelWith(() => new Promise(() => {}));
    const { sentimentAnalyzer } = createChatModelAnalyzers({ model, modelName: "deaf", fallback, timeoutMs: 50 });
    expect((await sentimentAnalyzer.analyze(TEXT)).fallback?.reason).toBe("the model service did not answer in time");
  });

  it("keep the answers to the last thousand texts, the one that was wanted longest ago goes first", async () => {
    const ask = vi.fn<() => Promise<Judgement>>(async () => JUDGEMENT);
    const model = modelWith(ask);
    const { sentimentAnalyzer } = createChatModelAnalyzers({ model, modelName: "counting", fallback });
    for (let at = 0; at < 1000; at += 1) await sentimentAnalyzer.analyze(`text ${at}`);
    await sentimentAnalyzer.analyze("text 0");
    expect(ask).toHaveBeenCalledTimes(1000);
    await sentimentAnalyzer.analyze("text 1000");
    await sentimentAnalyzer.analyze("text 0");
    expect(ask).toHaveBeenCalledTimes(1001);
    await sentimentAnalyzer.analyze("text 1");
    expect(ask).toHaveBeenCalledTimes(1002);
  });

  it("end with the caller's reason when the caller gives up, and let others have the answer", async () => {
    const begun = Promise.withResolvers<void>();
    const { sentimentAnalyzer } = await start((_request) => {
      begun.resolve();
      return judged() as Exclude<ScriptStep, (request: never) => unknown>;
    });
    const controller = new AbortController();
    const impatient = sentimentAnalyzer.analyze(TEXT, { signal: controller.signal });
    const patient = sentimentAnalyzer.analyze(TEXT);
    controller.abort(new Error("enough"));
    await expect(impatient).rejects.toThrow("enough");
    expect((await patient).language).toBe("fr");
  });

  it("never let a text out of its frame", () => {
    const marks = fc.constantFrom("</feedback>", "<feedback>", '"', "\\", "\n", "{", "\uD83D", "\\u003c");
    fc.assert(
      fc.property(fc.array(fc.oneof(marks, fc.string())), (parts) => {
        const text = parts.join("");
        const [, human] = judgementPrompt(text) as [unknown, [string, string]];
        const [, inside] = /^<feedback>([^<]*)<\/feedback>$/u.exec(human[1]) ?? [];
        expect(JSON.parse(inside ?? "")).toBe(text.toWellFormed());
      }),
    );
  });
});
