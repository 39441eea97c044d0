import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, returns } from "../api.ts";
import { paced } from "../live/paced.ts";
import { onRunChange } from "../live/run-changes.ts";
import type { Run } from "../runs/runs-api.ts";
import { session } from "../session.ts";
import { listFeedback, type FeedbackItem, type FeedbackPage, type Filters } from "./feedback-api.ts";
import { endOf, merged, reloadRows } from "./reload-rows.ts";

/** A list as it was last shown, so that a person who comes back to it sees it at once. */
interface Kept {
  items: readonly FeedbackItem[];
  next: string | undefined;
  searchedBackTo: string | undefined;
}

const kept = new Map<string, Kept>();
const MOST_KEPT = 8;
const NOTHING: Kept = { items: [], next: undefined, searchedBackTo: undefined };

const toList = ({ feedback, next, searched_back_to: searchedBackTo }: FeedbackPage): Kept => ({
  items: feedback,
  next,
  searchedBackTo,
});

/**
 * Pages of feedback, one below the other. Whenever a run changes, the first page is loaded again,
 * and if the run is further down the list, its row too. If any run may have changed, all rows are
 * loaded again.
 */
export function useFeedbackList(filters: Filters) {
  // A kept list is only for the person who has seen it, because someone else may sign in on the
  // same page.
  const key = JSON.stringify([session.value, filters]);
  const [state, setState] = useState<{ key: string; list: Kept; error?: ApiError }>({ key: "", list: NOTHING });
  const [isLoading, setIsLoading] = useState(false);
  // How many pieces of feedback have arrived that are not on the list yet.
  const [waiting, setWaiting] = useState(0);
  const [turn, setTurn] = useState(0);
  const running = useRef<AbortController>(undefined);
  const round = returns.value;
  const list = state.key === key ? state.list : (kept.get(key) ?? NOTHING);
  const latest = useRef(list);
  latest.current = list;

  const keep = (changed: Kept): void => {
    kept.delete(key);
    kept.set(key, changed);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
    latest.current = changed;
    setState({ key, list: changed });
  };
  const fail = (error: unknown): void => {
    if (error instanceof ApiError) setState({ key, list: latest.current, error });
  };
  const load = async (after?: string): Promise<void> => {
    const controller = new AbortController();
    running.current?.abort();
    running.current = controller;
    setIsLoading(true);
    try {
      const page = await listFeedback({ ...filters, ...(after !== undefined && { after }) }, controller.signal);
      if (after === undefined) setWaiting(0);
      const before = after === undefined ? [] : latest.current.items;
      keep({ ...toList(page), items: merged(before, page.feedback, () => false) });
    } catch (error) {
      fail(error);
    }
    if (running.current !== controller) return;
    running.current = undefined;
    setIsLoading(false);
  };

  useEffect(() => {
    setWaiting(0);
    const controller = new AbortController();
    // When the changed runs were accepted. These times say where the runs are on the list, whatever
    // comes and goes.
    const changed = new Set<string>();
    const note = (run: Run | undefined): void => {
      const times = run ? [run.start_time ?? ""] : latest.current.items.map(({ timestamp }) => timestamp);
      for (const time of times) changed.add(time);
    };
    const read = async (range: Parameters<typeof listFeedback>[0] = {}): Promise<FeedbackPage> => {
      const page = await listFeedback({ ...filters, ...range }, controller.signal);
      controller.signal.throwIfAborted();
      return page;
    };
    const rows = {
      current: () => latest.current.items,
      read,
      keep: (items: readonly FeedbackItem[]) => keep({ ...latest.current, items }),
    };
    const look = async (): Promise<void> => {
      if (latest.current.items.length === 0) {
        if (!running.current) await load();
        return;
      }
      const times = [...changed].toSorted().toReversed();
      changed.clear();
      try {
        const page = await read();
        const end = endOf(page);
        await takeFirst(page, end);
        await reloadRows(end === undefined ? [] : times.filter((time) => time <= end), rows);
      } catch (error) {
        // The next look loads them.
        for (const time of times) changed.add(time);
        fail(error);
      }
    };
    const takeFirst = async (page: FeedbackPage, end: string | undefined): Promise<void> => {
      const { items } = latest.current;
      const first = items[0]?.timestamp ?? "";
      const old = page.feedback.filter(({ timestamp }) => timestamp <= first);
      // New rows don't push away what a person reads further down.
      const isAtTop = scrollY < 80;
      setWaiting(isAtTop ? 0 : page.feedback.length - old.length);
      // If the whole page is new, there may be a gap between it and the list, so load the list
      // anew.
      if (isAtTop && old.length === 0 && page.feedback.length > 0) return load();
      const shown = isAtTop ? page.feedback : old;
      const all = merged(items, shown, (time) => end === undefined || time > end);
      // If no other rows are left, the list now ends where the page ends.
      const isWhole = all.length === shown.length;
      keep({ ...(isWhole ? toList(page) : latest.current), items: all });
    };
    note(undefined);
    const looks = paced(look);
    looks.ask();
    const stop = onRunChange((run) => {
      note(run);
      looks.ask();
    });
    return () => {
      stop();
      looks.stop();
      controller.abort();
      running.current?.abort();
      running.current = undefined;
    };
  }, [key, turn, round]);

  return {
    ...list,
    error: state.key === key ? state.error : undefined,
    isLoading: isLoading || state.key !== key,
    waiting,
    showNews: () => {
      scrollTo(0, 0);
      void load();
    },
    more: () => {
      const { next } = latest.current;
      if (!isLoading && next !== undefined) void load(next);
    },
    reload: () => {
      kept.delete(key);
      setTurn((number) => number + 1);
    },
  };
}
