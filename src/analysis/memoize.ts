/** A word in the form in which lexicons are queried, with the answers that are known so far. */
export interface Word {
  readonly norm: string;
  /** The answer of each function, by the number that `memoizeByWord` gave it. */
  readonly answers: unknown[];
}

let askers = 0;

/**
 * Calls `ask` once for each word, and stores the answer with the word, because looking it up in a
 * table again would take ten times as long.
 * @param ask must always give the same answer for the same word
 */
export function memoizeByWord<Answer>(ask: (norm: string) => Answer): (word: Word) => Answer {
  const own = askers++;
  return ({ norm, answers }) => {
    let answer = answers[own];
    if (answer === undefined) answers[own] = answer = ask(norm) ?? null;
    return (answer ?? undefined) as Answer;
  };
}

/**
 * When it has this many entries, a memo is emptied. That rarely happens, because most texts consist
 * of the same few thousand words.
 */
const MAX_ENTRIES = 20_000;
/**
 * Characters. In V8, longer pieces of a text point into it, so keeping them would keep the whole
 * text in memory.
 */
const MAX_KEPT_LENGTH = 12;

/** Keeps the results of `make` for a limited number of short pieces of text. */
export class BoundedMemo<Value> {
  private readonly values = new Map<string, Value>();
  private readonly make: (piece: string) => Value;

  constructor(make: (piece: string) => Value) {
    this.make = make;
  }

  get(piece: string): Value {
    const known = this.values.get(piece);
    if (known !== undefined) return known;
    const value = this.make(piece);
    if (piece.length > MAX_KEPT_LENGTH) return value;
    if (this.values.size === MAX_ENTRIES) this.values.clear();
    this.values.set(piece, value);
    return value;
  }
}

const words = new BoundedMemo<Word>((norm) => ({ norm, answers: [] }));

/** The word with its known answers. Short words are shared by all texts. */
export const wordOf = (norm: string): Word => words.get(norm);
