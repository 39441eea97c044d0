import type { LeftOutAnswer } from "./left-out.ts";

/** What a bound for thanks comes to. All from 0 to 1. */
export interface ThanksShares {
  bound: number;
  /** Of the texts that people call negative: those that would be thanked for. */
  angryThanked: number;
  /** Of the texts that people call positive: those that would be thanked for. */
  pleasedThanked: number;
  /** Of the texts that people and the analyser call positive. */
  foundThanked: number;
  /** Of all texts: those that are judged positive, but not surely enough. */
  heldBack: number;
  /** Of the thanks: those that go to somebody whom people call negative. */
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
