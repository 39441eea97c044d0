/**
 * How well one class was found. All values but `support` are from 0 to 1; 0 if there was nothing to
 * divide by.
 */
export interface ClassScores {
  precision: number;
  recall: number;
  f1: number;
  /** How many texts people have labelled with this class. */
  support: number;
}

/** True positives, false positives and false negatives of one class. */
export class Counts {
  hits = 0;
  falseAlarms = 0;
  misses = 0;

  scores(): ClassScores {
    const { hits, falseAlarms, misses } = this;
    const precision = ratio(hits, hits + falseAlarms);
    const recall = ratio(hits, hits + misses);
    return { precision, recall, f1: ratio(2 * precision * recall, precision + recall), support: hits + misses };
  }
}

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

/** 0 if there are no values. */
export const mean = (values: readonly number[]): number =>
  ratio(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );

/**
 * Whether a change fixes more texts than it breaks, by more than one standard error. If not, the
 * gain may be chance.
 */
export const isBeyondChance = (fixed: number, broken: number): boolean => fixed - broken > Math.sqrt(fixed + broken);

const BINS = 10;

/**
 * Expected calibration error, from 0 (perfect) to 1: how far an analyser's confidence is from how
 * often it was right. It is the mean over ten equal bins of confidence, weighted by their size (Guo
 * et al., On Calibration of Modern Neural Networks, 2017).
 */
export function calibrationError(answers: readonly { confidence: number; right: boolean }[]): number {
  const bins = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0, size: 0 }));
  for (const { confidence, right } of answers) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))];
    if (bin === undefined) continue;
    bin.confidence += confidence;
    bin.right += Number(right);
    bin.size += 1;
  }
  const distance = bins.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0);
  return ratio(distance, answers.length);
}
