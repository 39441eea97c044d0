/** Rows of a list, newest first, that are loaded again because their runs have changed. */

interface Row {
  workflow_id: string;
  timestamp: string;
}

interface Answer<Item> {
  feedback: readonly Item[];
  next?: string;
  searched_back_to?: string;
}

interface List<Item> {
  /** The rows as they are now. */
  current: () => readonly Item[];
  /** Reads rows that match the filters of the list. */
  read: (range: { since: string; before: string; limit: number }) => Promise<Answer<Item>>;
  keep: (items: readonly Item[]) => void;
}

/** The most rows that one request returns. */
const MOST_ROWS = 200;

/**
 * The rows after some were loaded again. Rows that are covered by the answer but not in it no
 * longer match, so they go.
 */
export function merged<Item extends Row>(
  items: readonly Item[],
  loaded: readonly Item[],
  isCovered: (time: string) => boolean,
): Item[] {
  const ids = new Set(loaded.map(({ workflow_id: id }) => id));
  const others = items.filter(({ workflow_id: id, timestamp }) => !ids.has(id) && !isCovered(timestamp));
  return [...loaded, ...others].toSorted((one, other) => other.timestamp.localeCompare(one.timestamp));
}

/**
 * The time down to which an answer has all rows; of rows from that very time, some may be missing.
 * Undefined if no row is missing.
 */
export const endOf = ({ feedback, next, searched_back_to: searchedBackTo }: Answer<Row>): string | undefined =>
  next === undefined ? undefined : (searchedBackTo ?? feedback.at(-1)?.timestamp);

/**
 * Loads only what has changed, however long the list is. Runs that are near each other on the list
 * share a request.
 * @param times when the changed runs were accepted, newest first
 * @throws as `read`
 */
export async function reloadRows<Item extends Row>(
  times: readonly string[],
  { current, read, keep }: List<Item>,
): Promise<void> {
  const isOnList = (time: string): boolean => {
    const last = current().at(-1);
    return last !== undefined && time >= last.timestamp;
  };
  let left = times.filter(isOnList);
  while (left.length > 0) {
    const newest = left[0]!;
    const near = current().filter(({ timestamp }) => timestamp <= newest);
    const farthest = near.slice(0, MOST_ROWS).at(-1)!.timestamp;
    const oldest = left.findLast((time) => time >= farthest)!;
    const before = new Date(Date.parse(newest) + 1).toISOString();
    const answer = await read({ since: oldest, before, limit: MOST_ROWS });
    const end = endOf(answer);
    const isCovered = (time: string): boolean => time >= oldest && time <= newest && (end === undefined || time > end);
    // Meanwhile, the list may have become shorter.
    const loaded = answer.feedback.filter(({ timestamp }) => isOnList(timestamp));
    keep(merged(current(), loaded, isCovered));
    left = left.filter((time) => time < newest && !isCovered(time) && isOnList(time));
  }
}
