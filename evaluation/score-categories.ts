import { categoriesOf, labelOf, withScopes, type CategoryRow } from "./labelled-sets.ts";
import { calibrationError, Counts, mean, type ClassScores } from "./scores.ts";

export interface CategoriesAnswer {
  categories: readonly string[];
  /** How sure the analyser is of each category in the answer; absent if it doesn't say. */
  scores?: Partial<Record<string, number>>;
}

export interface CategoriesScores {
  texts: number;
  /** Share of texts whose categories are exactly right, within the scope. */
  accuracy: number;
  /** Mean F1 of the categories that occur in the set. */
  macroF1: number;
  perClass: Record<string, ClassScores>;
  /**
   * `confusion.bug.service` is the number of texts labelled `bug` whose answer lacks `bug` and
   * wrongly has `service`. `confusion.bug.bug` is the number of those whose answer has `bug`.
   * `none` stands for "no category in scope", both as a label and as an answer.
   */
  confusion: Record<string, Record<string, number>>;
  /**
   * Calibration error of the answered categories, within the scope; absent if the analyser gives no
   * scores.
   */
  calibrationError?: number;
}

/** The name for no category in scope. */
export const NO_CATEGORY = "none";

/**
 * Compares answers with labels within the scope of each row: categories that the source doesn't
 * annotate are neither right nor wrong. A label `a|b` is satisfied by `a` and by `b`.
 */
export function scoreCategories(rows: readonly CategoryRow[], answers: readonly CategoriesAnswer[]): CategoriesScores {
  const counts = new Map<string, Counts>();
  const sure: { confidence: number; right: boolean }[] = [];
  const confusion: CategoriesScores["confusion"] = {};
  const confuse = (label: string, answer: string): void => {
    const given = (confusion[label] ??= {});
    given[answer] = (given[answer] ?? 0) + 1;
  };
  let exact = 0;
  withScopes(rows).forEach((row, at) => {
    const { labels, scope } = row;
    const answer = answers[at];
    if (answer === undefined) throw new RangeError("there are fewer answers than rows");
    const hits: string[] = [];
    const missed: string[] = [];
    const wrong: string[] = [];
    for (const label of scope) {
      const count = counts.get(label) ?? new Counts();
      counts.set(label, count);
      const answered = categoriesOf(label).some((name) => answer.categories.includes(name));
      const wanted = labels.includes(label);
      if (answered && wanted) {
        count.hits += 1;
        hits.push(label);
      } else if (answered) {
        count.falseAlarms += 1;
        wrong.push(label);
      } else if (wanted) {
        count.misses += 1;
        missed.push(label);
      }
    }
    for (const name of answer.categories) {
      const confidence = answer.scores?.[name];
      const label = labelOf(row, name);
      if (confidence !== undefined && label !== undefined) sure.push({ confidence, right: label !== "no" });
    }
    if (missed.length === 0 && wrong.length === 0) exact += 1;
    for (const label of hits) confuse(label, label);
    const unanswered = hits.length === 0 && missed.length === 0 ? [NO_CATEGORY] : missed;
    for (const label of unanswered)
      for (const answer of wrong.length > 0 ? wrong : [NO_CATEGORY]) confuse(label, answer);
  });
  const perClass = Object.fromEntries([...counts].map(([label, count]) => [label, count.scores()]));
  return {
    texts: rows.length,
    accuracy: rows.length === 0 ? 0 : exact / rows.length,
    macroF1: mean(
      Object.values(perClass)
        .filter(({ support }) => support > 0)
        .map(({ f1 }) => f1),
    ),
    perClass,
    confusion,
    ...(sure.length > 0 && { calibrationError: calibrationError(sure) }),
  };
}
