/** What the feedback was judged to be, for the person who decides to put right. */
import { CATEGORIES, SENTIMENTS, type Sentiment } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";

export interface Labels {
  sentiment: Sentiment;
  categories: readonly string[];
}

/** Labels that go with a decision: those that a person has changed. */
export type Corrections = Partial<Labels>;

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((one) => others.includes(one));

export const correctionsOf = (judged: Labels, { sentiment, categories }: Labels): Corrections => ({
  ...(sentiment !== judged.sentiment && { sentiment }),
  ...(!isSame(categories, judged.categories) && { categories }),
});

/** `general` means that no other category fits. */
function toggled(categories: readonly string[], name: string): readonly string[] {
  if (name === "general") return ["general"];
  const others = categories.filter((one) => one !== "general" && one !== name);
  const next = categories.includes(name) ? others : [...others, name];
  return next.length === 0 ? ["general"] : CATEGORIES.filter((one) => next.includes(one));
}

interface LabelsFormProps {
  judged: Labels;
  labels: Labels;
  isBusy: boolean;
  onChange: (labels: Labels) => void;
}

/** A choice of labels, with a word on what becomes of a change. */
export function LabelsForm({ judged, labels, isBusy, onChange }: LabelsFormProps) {
  const { sentiment, categories } = labels;
  const isChanged = Object.keys(correctionsOf(judged, labels)).length > 0;
  return html`
    <section class="labels" aria-label="Labels">
      <p class="label">Are these labels right?</p>
      <div class="segmented" role="group" aria-label="Sentiment">
        ${SENTIMENTS.map(
          (one) => html`
            <button
              key=${one}
              type="button"
              disabled=${isBusy}
              aria-pressed=${one === sentiment}
              onClick=${() => onChange({ sentiment: one, categories })}
            >
              ${one}
            </button>
          `,
        )}
      </div>
      <div class="segmented" role="group" aria-label="Categories">
        ${CATEGORIES.map(
          (one) => html`
            <button
              key=${one}
              type="button"
              disabled=${isBusy}
              aria-pressed=${categories.includes(one)}
              onClick=${() => onChange({ sentiment, categories: toggled(categories, one) })}
            >
              ${one}
            </button>
          `,
        )}
      </div>
      <p class="muted" aria-live="polite">
        ${
          isChanged
            ? "Your labels are stored with your decision, and the analysers can learn from them. They don't " +
              "change what was done with this feedback."
            : "If you approve, they count as correct."
        }
      </p>
    </section>
  `;
}
