import { isDeepStrictEqual } from "node:util";
import {
  BaseDecisionModel,
  parseClassifierResponse,
  type Answer,
  type ChoiceAnswer,
  type ClassifierResponse,
  type NoulAnswer,
  type Question,
  type State,
} from "@langchain/core/decisions";
import type { RunnableConfig } from "@langchain/core/runnables";
import { ValidationError } from "../../errors.ts";
import type { Analyzers } from "../chat-model/chat-model-analyzers.ts";
import type { CategoriesResult } from "../feedback-categorizer.ts";
import { SENTIMENTS, type Sentiment, type SentimentResult } from "../sentiment-analyzer.ts";
import { FEEDBACK_QUESTIONS, type NamedCategory } from "./feedback-questions.ts";

/**
 * Analysers as a LangChain decision model: labels with probabilities, and everything that a
 * runnable can do, such as `batch` with `maxConcurrency`. It answers all or some of
 * `FEEDBACK_QUESTIONS` about a text. The questions must be unchanged, because analysers read no
 * instructions. `model` in the response names the analysers that answered; if a chat model failed,
 * its fallback.
 *
 * @example
 * const model = new FeedbackDecisionModel({ sentimentAnalyzer, feedbackCategorizer });
 * const state = "I was charged twice";
 * const { choices, nouls } = await model.invoke({ state, questions: FEEDBACK_QUESTIONS });
 * // choices.sentiment.choice is "negative", nouls.billing.noul about 0.8
 */
export class FeedbackDecisionModel extends BaseDecisionModel {
  lc_namespace = ["abi_workflows", "decisions"];
  readonly #analyzers: Analyzers;

  /** @throws ValidationError if one of the two analysers is missing */
  constructor(analyzers: Analyzers) {
    for (const name of ["sentimentAnalyzer", "feedbackCategorizer"] as const) {
      if (analyzers[name] !== undefined) continue;
      throw new ValidationError(`The decision model needs a ${name}.`, { code: "invalid_configuration" });
    }
    super({ model: nameOf(analyzers.sentimentAnalyzer) });
    this.#analyzers = analyzers;
  }

  get _provider(): string {
    return "abi-workflows";
  }

  /**
   * @throws ValidationError if the state is not a string, or a question is not one of
   *   `FEEDBACK_QUESTIONS`, word for word
   */
  async _classify(
    state: State,
    questions: Record<string, Question>,
    { signal }: Partial<RunnableConfig> = {},
  ): Promise<ClassifierResponse> {
    if (typeof state !== "string") throw new ValidationError("The state must be the text of the feedback.");
    const ids = Object.keys(questions).map((id) => knownId(id, questions[id]));
    const options = signal ? { signal } : {};
    const { sentimentAnalyzer, feedbackCategorizer } = this.#analyzers;
    const [sentiment, categories] = await Promise.all([
      ids.includes("sentiment") ? sentimentAnalyzer.analyze(state, options) : undefined,
      ids.some((id) => id !== "sentiment") ? feedbackCategorizer.categorize(state, options) : undefined,
    ]);
    const answers = ids.map((id): [string, Answer] => {
      if (id !== "sentiment") return [id, toNoulAnswer(categories, id)];
      return [id, toChoiceAnswer(sentiment)];
    });
    const model = [
      ...(sentiment ? [nameOf(sentiment.fallback?.analyzer ?? sentimentAnalyzer)] : []),
      ...(categories ? [nameOf(categories.fallback?.analyzer ?? feedbackCategorizer)] : []),
    ].join(", ");
    return parseClassifierResponse({ model, answers: Object.fromEntries(answers) });
  }
}

const nameOf = ({ name, version }: { name: string; version: string }): string => `${name} ${version}`;

const isKnown = (id: string): id is keyof typeof FEEDBACK_QUESTIONS => Object.hasOwn(FEEDBACK_QUESTIONS, id);

function knownId(id: string, question: Question | undefined): keyof typeof FEEDBACK_QUESTIONS {
  if (isKnown(id)) {
    if (isDeepStrictEqual(question, FEEDBACK_QUESTIONS[id])) return id;
    throw new ValidationError(
      `The question "${id}" asks something other than FEEDBACK_QUESTIONS.${id}. Pass that question unchanged.`,
      { code: "unknown_question" },
    );
  }
  const known = Object.keys(FEEDBACK_QUESTIONS).join(", ");
  throw new ValidationError(`There is no answer to the question "${id}". Ask those of FEEDBACK_QUESTIONS: ${known}.`, {
    code: "unknown_question",
  });
}

/** The other two labels share the rest equally, because analysers say nothing about them. */
function toChoiceAnswer(result: SentimentResult | undefined): ChoiceAnswer<Sentiment> {
  const { sentiment, score } = result ?? { sentiment: "neutral" as const, score: 0 };
  const certain = Math.max(score, 1 / SENTIMENTS.length);
  const rest = (1 - certain) / (SENTIMENTS.length - 1);
  const probabilities = { positive: rest, negative: rest, neutral: rest, [sentiment]: certain };
  return { type: "choice", choice: sentiment, probabilities, confidence: score };
}

/** 0 for a category that was not found. */
const toNoulAnswer = (result: CategoriesResult | undefined, category: NamedCategory): NoulAnswer => ({
  type: "noul",
  noul: result?.scores[category] ?? 0,
});
