/** A text and what the analysers find in it. No feedback is stored, and no email is sent. */
import { useEffect, useState } from "preact/hooks";
import { call } from "./api.ts";
import { SentimentMark } from "./feedback/badges.ts";
import type { Sentiment } from "./feedback/feedback-api.ts";
import { html } from "./html.ts";
import { useLoad } from "./load.ts";
import { place, setQuery } from "./router.ts";
import { Fact, Score } from "./ui/facts.ts";
import { Legend, MarkedText } from "./ui/marked-text.ts";
import { Failed } from "./ui/states.ts";

interface SentimentResult {
  sentiment: Sentiment;
  score: number;
  evidence: readonly string[];
  language: string;
}

interface CategoriesResult {
  categories: readonly string[];
  scores: Readonly<Record<string, number>>;
  evidence: Readonly<Record<string, readonly string[]>>;
}

const SAMPLES = [
  "The new dashboard is wonderful, but exporting takes forever and twice it just crashed.",
  "You charged my card twice and nobody answers. I'm furious.",
  "Not bad at all. Could be cheaper, though.",
  "I would not call the support helpful.",
];

const TYPING_MS = 350;

async function analyse(text: string, signal: AbortSignal) {
  const ask = <Result>(tool: string): Promise<Result> => call<Result>(`/tools/${tool}`, { body: { text }, signal });
  const [sentiment, categories] = await Promise.all([
    ask<SentimentResult>("analyze_feedback_sentiment"),
    ask<CategoriesResult>("categorize_feedback_text"),
  ]);
  return { text, sentiment, categories };
}

export function TryText() {
  const given = place.value.query.get("text") ?? "";
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  useEffect(() => {
    const timer = setTimeout(() => text !== given && setQuery({ text }, { replace: true }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const asked = given.trim();
  const { value, error, reload } = useLoad(asked === "" ? undefined : asked, (signal) => analyse(asked, signal));
  return html`
    <header class="page-head">
      <h1>Try a text</h1>
      <p class="muted">What the analysers find in it, and why. No feedback is stored, and no email is sent.</p>
    </header>
    <div class="try">
      <label class="card form"
        >Text
        <textarea
          rows="6"
          dir="auto"
          maxlength="2000"
          placeholder="Write, or choose a sample below"
          value=${text}
          onInput=${({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => setText(currentTarget.value)}
        ></textarea>
      </label>
      <div class="samples" role="group" aria-label="Samples">
        ${SAMPLES.map((sample) => html`<button key=${sample} type="button" class="chip" onClick=${() => setText(sample)}>${sample}</button>`)}
      </div>
      <div aria-live="polite">
        ${error && html`<${Failed} error=${error} retry=${reload} />`} ${value && html`<${Findings} ...${value} />`}
      </div>
    </div>
  `;
}

function Findings({ text, sentiment, categories }: Awaited<ReturnType<typeof analyse>>) {
  const evidence = { sentiment: sentiment.evidence, category: Object.values(categories.evidence).flat() };
  return html`
    <section class="card">
      <h2>Evidence</h2>
      <${MarkedText} text=${text} evidence=${evidence} />
      <${Legend} text=${text} evidence=${evidence} />
    </section>
    <div class="pair">
      <section class="card">
        <h2>Sentiment</h2>
        <p class="decision"><${SentimentMark} sentiment=${sentiment.sentiment} /> ${sentiment.sentiment}</p>
        <dl>
          <${Fact} name="Confidence"><${Score} value=${sentiment.score} /><//>
          <${Fact} name="Language">${sentiment.language}<//>
          <${Fact} name="Evidence">${sentiment.evidence.join(", ") || "none"}<//>
        </dl>
      </section>
      <section class="card">
        <h2>Categories</h2>
        <dl>
          ${categories.categories.map(
            (category) =>
              html`<${Fact} key=${category} name=${html`<span class="chip">${category}</span>`}>
                <${Score} value=${categories.scores[category] ?? 0} />${" "}<span class="muted"
                  >${(categories.evidence[category] ?? []).join(", ")}</span
                >
              <//>`,
          )}
        </dl>
      </section>
    </div>
  `;
}
