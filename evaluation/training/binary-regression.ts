/**
 * Binary logistic regression by Newton's method, for few inputs. The same input always gives the
 * same bits.
 */

export interface BinaryExample {
  /** The first one is 1, for the intercept. */
  inputs: readonly number[];
  isTrue: boolean;
  weight: number;
}

const STEPS = 25;
/** The decay of the intercept: practically none, but the system stays solvable. */
const MIN_DECAY = 1e-6;

/**
 * The most likely weights given the examples, all but the intercept shrunk towards 0 by `decay`.
 */
export function fitBinary(examples: readonly BinaryExample[], decay: number): number[] {
  const size = examples[0]?.inputs.length ?? 0;
  const decayOf = (input: number): number => (input === 0 ? MIN_DECAY : decay);
  let weights = Array.from({ length: size }, () => 0);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight, input) => -decayOf(input) * weight);
    const curvature = weights.map((_, row) => weights.map((_, column) => (row === column ? decayOf(row) : 0)));
    for (const { inputs, isTrue, weight } of examples) {
      const logit = inputs.reduce((sum, value, input) => sum + value * weights[input]!, 0);
      const share = 1 / (1 + Math.exp(-logit));
      const slope = weight * share * (1 - share);
      inputs.forEach((value, row) => {
        if (value === 0) return;
        gradient[row]! += weight * (Number(isTrue) - share) * value;
        inputs.forEach((other, column) => (curvature[row]![column]! += slope * value * other));
      });
    }
    const change = solve(curvature, gradient);
    weights = weights.map((weight, input) => weight + change[input]!);
  }
  return weights;
}

/** Gaussian elimination with partial pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, at) => [...row, right[at]!]);
  const size = rows.length;
  for (let at = 0; at < size; at++) {
    let pivot = at;
    for (let row = at; row < size; row++) if (Math.abs(rows[row]![at]!) > Math.abs(rows[pivot]![at]!)) pivot = row;
    [rows[at], rows[pivot]] = [rows[pivot]!, rows[at]!];
    for (let row = at + 1; row < size; row++) {
      const factor = rows[row]![at]! / rows[at]![at]!;
      for (let column = at; column <= size; column++) rows[row]![column]! -= factor * rows[at]![column]!;
    }
  }
  const solution = Array.from({ length: size }, () => 0);
  for (let at = size - 1; at >= 0; at--) {
    let sum = rows[at]![size]!;
    for (let column = at + 1; column < size; column++) sum -= rows[at]![column]! * solution[column]!;
    solution[at] = sum / rows[at]![at]!;
  }
  return solution;
}
