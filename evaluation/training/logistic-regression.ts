/**
 * Multinomial logistic regression with AdaGrad (Duchi, Hazan, Singer 2011). The same input always
 * gives the same bits.
 */

export interface Example {
  /**
   * The source of the text: each source has its own class shares, which are learned together with
   * the weights and then dropped.
   */
  source: number;
  label: number;
  /** Dense inputs. */
  opinions: readonly number[];
  /** Buckets whose input is `wordFactor`. */
  buckets: readonly number[];
  wordFactor: number;
  /** Existing logits of the classes, to which the weights add. Default: 0. */
  prior?: readonly number[];
}

export interface Weights {
  /** `opinions[input * classes + label]`. */
  opinions: Float64Array;
  /** `words[bucket * classes + label]`. */
  words: Float64Array;
}

export interface TrainingOptions {
  classes: number;
  buckets: number;
  /** Buckets with fewer examples stay empty. */
  fewestExamples: number;
  epochs: number;
  rate: number;
  opinionDecay: number;
  wordDecay: number;
}

const FIRST_SQUARE = 1e-8;
const SEED = 7;

/**
 * Parameters, each with the sum of its squared gradients. AdaGrad divides a parameter's steps by the
 * root of this sum.
 */
class Parameters {
  readonly values: Float64Array;
  readonly #squares: Float64Array;

  constructor(size: number) {
    this.values = new Float64Array(size);
    this.#squares = new Float64Array(size).fill(FIRST_SQUARE);
  }

  step(at: number, gradient: number, rate: number, decay: number): void {
    const pull = gradient + decay * this.values[at]!;
    this.#squares[at]! += pull * pull;
    this.values[at]! -= (rate * pull) / Math.sqrt(this.#squares[at]!);
  }
}

export function train(examples: readonly Example[], options: TrainingOptions): Weights {
  const { classes, epochs } = options;
  const kept = frequentBuckets(examples, options);
  const opinions = new Parameters((examples[0]?.opinions.length ?? 0) * classes);
  const words = new Parameters(options.buckets * classes);
  const sources = knownClasses(examples, classes);
  const shares = new Parameters(sources.length * classes);
  const weights = sourceWeights(examples);
  const order = examples.map((_, at) => at);
  const random = randomNumbers(SEED);

  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = options.rate / (1 + epoch / 5);
    shuffle(order, random);
    for (const at of order) {
      const { source, label, opinions: inputs, wordFactor, prior } = examples[at]!;
      const buckets = kept[at]!;
      const known = sources[source]!;
      const logits = Array.from({ length: classes }, (_, label) => {
        // A source that has no texts of a class says nothing about it.
        if (!known[label]) return Number.NEGATIVE_INFINITY;
        let sum = 0;
        for (const bucket of buckets) sum += words.values[bucket * classes + label]!;
        sum = sum * wordFactor + shares.values[source * classes + label]! + (prior?.[label] ?? 0);
        return inputs.reduce((logit, value, input) => logit + value * opinions.values[input * classes + label]!, sum);
      });
      const errors = softmax(logits).map((share, one) => (share - Number(one === label)) * weights[source]!);
      errors.forEach((error, one) => {
        if (!known[one]) return;
        shares.step(source * classes + one, error, rate, 0);
        inputs.forEach((value, input) => {
          if (value !== 0) opinions.step(input * classes + one, error * value, rate, options.opinionDecay);
        });
        for (const bucket of buckets) words.step(bucket * classes + one, error * wordFactor, rate, options.wordDecay);
      });
    }
  }
  return { opinions: opinions.values, words: words.values };
}

function frequentBuckets(examples: readonly Example[], options: TrainingOptions): number[][] {
  const counts = new Int32Array(options.buckets);
  for (const { buckets } of examples) for (const bucket of buckets) counts[bucket]! += 1;
  return examples.map(({ buckets }) => buckets.filter((bucket) => counts[bucket]! >= options.fewestExamples));
}

/** The classes of each source. */
function knownClasses(examples: readonly Example[], classes: number): boolean[][] {
  const known: boolean[][] = [];
  for (const { source, label } of examples) {
    while (known.length <= source) known.push(Array.from({ length: classes }, () => false));
    known[source]![label] = true;
  }
  return known;
}

/**
 * The weight of each source's examples. A source counts by the root of its size, so that a large
 * one does not dominate the others. The mean weight of an example is 1.
 */
function sourceWeights(examples: readonly Example[]): number[] {
  const sizes: number[] = [];
  for (const { source } of examples) sizes[source] = (sizes[source] ?? 0) + 1;
  const total = sizes.reduce((sum, size) => sum + Math.sqrt(size ?? 0), 0);
  return Array.from(sizes, (size) => (size ? examples.length / total / Math.sqrt(size) : 0));
}

function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Random numbers from 0 to 1 (Mulberry32), the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

/** A copy in random order. */
export const shuffled = <Item>(items: readonly Item[], random: () => number): Item[] =>
  items
    .map((item) => ({ item, at: random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);

/** Shuffles in place (Fisher–Yates). */
function shuffle(items: number[], random: () => number): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
}
