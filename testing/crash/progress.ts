import type { ReachedPoints } from "./run-undisturbed.ts";

/** How much of the work is done, measured by the points reached. */
export class Progress {
  readonly total: number;
  readonly #expected: ReachedPoints;
  readonly #reached = new Map<string, number>();

  constructor(expected: ReachedPoints) {
    this.#expected = expected;
    this.total = [...expected.values()].reduce((sum, count) => sum + count, 0);
  }

  note(point: string): void {
    this.#reached.set(point, (this.#reached.get(point) ?? 0) + 1);
  }

  /**
   * The points still to be reached; all points if none is left. Those nearest to completion, such
   * as submissions, come first.
   */
  ahead(): string[] {
    const all = [...this.#expected.keys()].toSorted((a, b) => this.#part(b) - this.#part(a));
    const ahead = all.filter((point) => this.#part(point) < 1);
    return ahead.length > 0 ? ahead : all;
  }

  /**
   * The share of the work that is done, between 0 and 1. Each point counts equally, however often
   * it is expected. Visits beyond the expected number don't count: they are repeated work.
   */
  get done(): number {
    const parts = [...this.#expected.keys()].map((point) => Math.min(1, this.#part(point)));
    return parts.reduce((sum, part) => sum + part, 0) / Math.max(1, parts.length);
  }

  #part(point: string): number {
    return (this.#reached.get(point) ?? 0) / (this.#expected.get(point) ?? 1);
  }
}
