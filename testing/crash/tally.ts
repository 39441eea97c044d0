/** Compares what a receiver got with what it should have got: nothing lost, nothing twice. */
import { tableLines, type Columns } from "../text-table.ts";

/** What one receiving side saw. */
export interface Deliveries {
  /** Such as `mail`. */
  readonly name: string;
  /** The keys that should have been received, each once. */
  readonly expected: Iterable<string>;
  /**
   * What was received: for which key, and under which identity (Message-ID, idempotency key), by
   * which a receiver recognises a repetition.
   */
  readonly received: Iterable<{ key: string; identity: string }>;
  /**
   * For each key, how often it may be received again under the same identity: once for each process
   * that died after the receiver had accepted it and before that was recorded. No sender can rule
   * out this window. Default: never.
   */
  readonly windows?: ReadonlyMap<string, number>;
}

/** Every list contains keys. All but `repeatedInWindow` must be empty. */
export interface Tally {
  readonly name: string;
  readonly expected: number;
  readonly received: number;
  readonly lost: string[];
  /** Received, but not expected. */
  readonly uncalledFor: string[];
  /** Received under several identities, so the receiver counts them twice. */
  readonly twice: string[];
  /** Received again under the same identity more often than processes died in the window. */
  readonly repeated: string[];
  /** Received again under the same identity because of the window. */
  readonly repeatedInWindow: string[];
}

/**
 * Compares deliveries with what was expected: what was lost, and what was repeated.
 * @example tally({ name: "emails", expected: ["F-1"], received: [{ key: "F-1", identity: messageId
 *   }] })
 */
export function tally({ name, expected, received, windows = new Map() }: Deliveries): Tally {
  const due = new Set(expected);
  const byKey = Map.groupBy(received, ({ key }) => key);
  const seen = [...byKey].map(([key, all]) => ({
    key,
    again: all.length - 1,
    identities: new Set(all.map(({ identity }) => identity)).size,
  }));
  const keys = (fits: (one: (typeof seen)[number]) => boolean): string[] => seen.filter(fits).map(({ key }) => key);
  const window = (key: string): number => windows.get(key) ?? 0;
  return {
    name,
    expected: due.size,
    received: seen.reduce((sum, { again }) => sum + again + 1, 0),
    lost: [...due].filter((key) => !byKey.has(key)),
    uncalledFor: keys(({ key }) => !due.has(key)),
    twice: keys(({ identities }) => identities > 1),
    repeated: keys(({ key, again, identities }) => identities === 1 && again > window(key)),
    repeatedInWindow: keys(({ key, again, identities }) => identities === 1 && again > 0 && again <= window(key)),
  };
}

/** Nothing lost, nothing twice. */
export const isClean = ({ lost, uncalledFor, twice, repeated }: Tally): boolean =>
  [lost, uncalledFor, twice, repeated].every((keys) => keys.length === 0);

const COLUMNS: Columns<Tally> = [
  ["", ({ name }) => name],
  ["expected", ({ expected }) => expected],
  ["received", ({ received }) => received],
  ["lost", ({ lost }) => lost.length],
  ["uncalled-for", ({ uncalledFor }) => uncalledFor.length],
  ["twice", ({ twice }) => twice.length],
  ["repeated", ({ repeated }) => repeated.length],
  ["repeated in the window", ({ repeatedInWindow }) => repeatedInWindow.length],
];

/** Tallies as lines of text. */
export const tallyTable = (tallies: readonly Tally[]): string => tableLines(COLUMNS, tallies).join("\n");
