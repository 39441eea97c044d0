import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, returns } from "../api.ts";
import { paced } from "../live/paced.ts";
import { onRunChange } from "../live/run-changes.ts";
import { session } from "../session.ts";
import { listFeedback, type FeedbackItem, type FeedbackPage, type Filters } from "./feedback-api.ts";

/** A list as it was last shown, so that a person who comes back to it sees it at once. */
interface Kept {
  items: readonly FeedbackItem[];
  next: string | undefined;
  searchedBackTo: string | undefined;
}

const kept = new Map<string, Kept>();
const MOST_KEPT = 8;
const NOTHING: Kept = { items: [], next: undefined, searchedBackTo: undefined };

/**
 * Pages of feedback, one below the other. Whenever a run changes, the first page is loaded again;
 * rows that are not on it stay as they are.
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
      const before = after === undefined ? [] : latest.current.items;
      if (after === undefined) setWaiting(0);
      keep({ items: [...before, ...page.feedback], next: page.next, searchedBackTo: page.searched_back_to });
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
    const look = async (): Promise<void> => {
      // A list that is already on the screen is updated; otherwise, it is loaded.
      if (latest.current.items.length > 0) {
        const page = await listFeedback(filters, controller.signal).catch(fail);
        if (page && !controller.signal.aborted) merge(page);
      } else if (!running.current) await load();
    };
    const merge = ({ feedback }: FeedbackPage): void => {
      const { items } = latest.current;
      const fresh = new Map(feedback.map((item) => [item.workflow_id, item]));
      const known = new Set(items.map(({ workflow_id: id }) => id));
      const added = feedback.filter(({ workflow_id: id }) => !known.has(id));
      const updated = items.map((item) => fresh.get(item.workflow_id) ?? item);
      // Nothing moves while a person reads further down.
      const isAtTop = scrollY < 80;
      setWaiting(isAtTop ? 0 : added.length);
      // If the whole page is new, there may be a gap between it and the list, so load the list
      // anew.
      if (isAtTop && added.length === feedback.length && feedback.length > 0) void load();
      else keep({ ...latest.current, items: isAtTop ? [...added, ...updated] : updated });
    };
    const looks = paced(look);
    looks.ask();
    const stop = onRunChange(looks.ask);
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
