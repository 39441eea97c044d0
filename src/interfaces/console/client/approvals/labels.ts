/** The labels that the feedback was given. The person who decides can correct them. */
import { CATEGORIES, doubtOf, SENTIMENTS, type Certainty, type Sentiment } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";

export interface Labels {
  sentiment: Sentiment;
  categories: readonly string[];
}

/** Labels that a person has chosen. */
export type Corrections = Partial<Labels>;

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((one) => others.includes(one));

/**
 * The labels that are sent with a decision: those that the person has changed. If the feedback's
 * labels are uncertain, also those that the person has clicked to confirm them, because approving
 * the email doesn't confirm them.
 */
export function correctionsOf(judged: Labels & Certainty, { sentiment, categories }: Corrections): Corrections {
  const confirms = doubtOf(judged) !== undefined;
  return {
    ...(sentiment !== undefined && (confirms || sentiment !== judged.sentiment) && { sentiment }),
    ...(categories !== undefined && (confirms || !isSame(categories, judged.categories)) && { categories }),
  };
}

/** `general` means that no other category fits. */
function toggled(categories: readonly string[], name: string): readonly string[] {
  if (name === "general") return ["general"];
  const others = categories.filter((one) => one !== "general" && one !== name);
  const next = categories.includes(name) ? others : [...others, name];
  return next.length === 0 ? ["general"] : CATEGORIES.filter((one) => next.includes(one));
}

/** What happens to labels that the person leaves alone. */
const UNTOUCHED = {
  certain: "If you approve, they count as right.",
  doubtful:
    "The sentiment is doubtful, and approving the email doesn't confirm it. To confirm it, click the right one.",
  "not read":
    "The text was not read, and approving the email doesn't confirm these labels. To confirm them, click " +
    "the right ones.",
};

interface LabelsFormProps {
  judged: Labels & Certainty;
  /** What the person has clicked. */
  chosen: Corrections;
  isBusy: boolean;
  onChange: (chosen: Corrections) => void;
}

/** A choice of labels, with a note on what the choice does. */
export function LabelsForm({ judged, chosen, isBusy, onChange }: LabelsFormProps) {
  const { sentiment, categories } = { ...judged, ...chosen };
  const isChanged = Object.keys(correctionsOf(judged, chosen)).length > 0;
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
              onClick=${() => onChange({ ...chosen, sentiment: one })}
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
              onClick=${() => onChange({ ...chosen, categories: toggled(categories, one) })}
            >
              ${one}
            </button>
          `,
        )}
      </div>
      <p class="muted" aria-live="polite">
        ${
          isChanged
            ? "Your labels are stored with your decision, and the analysers can learn from them. The labels don't " +
              "change what was done with this feedback."
            : UNTOUCHED[doubtOf(judged) ?? "certain"]
        }
      </p>
    </section>
  `;
}
