/** A word as lexicons are asked for it, with what they answered. */
export interface Word {
  readonly norm: string;
  /** By the number of who asked. */
  readonly answers: unknown[];
}

let askers = 0;

/**
 * Asks about each word once, and remembers the answer with the word: a look-up in a table costs ten times as much.
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

/** Most words of a text are among a few thousand that are met all the time; beyond this many it begins anew. */
const MAX_ENTRIES = 20_000;
/** V8 lets longer pieces of a text point into it: kept here they would keep the text. */
const MAX_KEPT_LENGTH = 12;

/** Keeps what `make` makes of short pieces of text, a bounded number of them. */
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

export const wordOf = (norm: string): Word => words.get(norm);
