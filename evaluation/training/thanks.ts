import type { LeftOutAnswer } from "./left-out.ts";

/**
 * What happens if praise with a score of at least `bound` is thanked for. All values are from 0 to
 * 1.
 */
export interface ThanksShares {
  bound: number;
  /** Of the texts labelled negative, the share that would be thanked for. */
  angryThanked: number;
  /** Of the texts labelled positive, the share that would be thanked for. */
  pleasedThanked: number;
  /** Of the texts both labelled and judged positive, the share that would be thanked for. */
  foundThanked: number;
  /** Of all texts, the share judged positive with a score below the bound. */
  heldBack: number;
  /** Of the thanks, the share for texts labelled negative. */
  wrongThanks: number;
}

const share = (part: readonly unknown[], whole: readonly unknown[]): number =>
  whole.length === 0 ? 0 : part.length / whole.length;

export function thanksAt(answers: readonly LeftOutAnswer[], bound: number): ThanksShares {
  const found = answers.filter(({ sentiment }) => sentiment === "positive");
  const thanked = found.filter(({ score }) => score >= bound);
  const labelled = (label: string, among: readonly LeftOutAnswer[]): LeftOutAnswer[] =>
    among.filter(({ text }) => text.sentiment === label);
  return {
    bound,
    angryThanked: share(labelled("negative", thanked), labelled("negative", answers)),
    pleasedThanked: share(labelled("positive", thanked), labelled("positive", answers)),
    foundThanked: share(labelled("positive", thanked), labelled("positive", found)),
    heldBack: (found.length - thanked.length) / Math.max(1, answers.length),
    wrongThanks: share(labelled("negative", thanked), thanked),
  };
}
