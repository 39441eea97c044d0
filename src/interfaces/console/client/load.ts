import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, returns } from "./api.ts";
import { paced } from "./live/paced.ts";
import { onRunChange } from "./live/run-changes.ts";
import type { Run } from "./runs/runs-api.ts";

/** What a page asks for. The last value stays while it is asked for again. */
export interface Loaded<Value> {
  value: Value | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
  reload: () => void;
}

interface Options<Value> {
  /** Whether it may be another one now that a run has changed: it is then loaded again. Default: it may not. */
  changesWith?: (run: Run, value: Value | undefined) => boolean;
  /** Between two loads because of changes. Milliseconds. */
  pauseMs?: number;
  /** Loads again when it changes, and keeps the value meanwhile; another `key` does not keep it. */
  version?: string;
}

/**
 * Calls `load` at once, and again when `key` or `version` changes, when the service is back, and when runs change that matter.
 * @param key stands for what is loaded; undefined loads nothing
 */
export function useLoad<Value>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<Value>,
  { changesWith, pauseMs, version }: Options<Value> = {},
): Loaded<Value> {
  const [state, setState] = useState<{ key?: string | undefined; value?: Value; error?: ApiError }>({});
  const [turn, setTurn] = useState(0);
  const isMine = state.key === key;
  const value = isMine ? state.value : undefined;
  const latest = useRef({ key, load, changesWith, value });
  latest.current = { key, load, changesWith, value };
  const reload = useCallback(() => setTurn((number) => number + 1), []);
  const round = returns.value;
  const isLive = changesWith !== undefined;

  useEffect(() => {
    if (key === undefined) return undefined;
    const controller = new AbortController();
    const look = async (): Promise<void> => {
      try {
        const loaded = await latest.current.load(controller.signal);
        if (!controller.signal.aborted) setState({ key, value: loaded });
      } catch (error) {
        if (controller.signal.aborted) return;
        const shown = error instanceof ApiError ? error : new ApiError(0, { detail: String(error) });
        setState((before) => ({
          key,
          error: shown,
          ...(before.key === key && before.value !== undefined && { value: before.value }),
        }));
      }
    };
    const looks = paced(look, pauseMs);
    looks.ask();
    const stop = isLive
      ? onRunChange((run) => {
          const { key: wanted, changesWith: isAffected, value: known } = latest.current;
          // The effect of another key comes a frame after it was rendered.
          if (wanted === key && (!run || isAffected?.(run, known))) looks.ask();
        })
      : undefined;
    return () => {
      controller.abort();
      looks.stop();
      stop?.();
    };
  }, [key, version, turn, isLive, round]);

  return {
    value,
    error: isMine ? state.error : undefined,
    isLoading: key !== undefined && !isMine,
    reload,
  };
}
