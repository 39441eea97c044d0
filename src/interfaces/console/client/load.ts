import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, returns } from "./api.ts";
import { paced } from "./live/paced.ts";
import { onRunChange } from "./live/run-changes.ts";
import type { Run } from "./runs/runs-api.ts";

/** A value that a page loads. The last value stays while it is loaded again. */
export interface Loaded<Value> {
  value: Value | undefined;
  error: ApiError | undefined;
  /** Whether it is loaded for the first time, or because of `reload`. */
  isLoading: boolean;
  reload: () => void;
}

interface Options<Value> {
  /**
   * Whether a changed run may have changed the value, so that it must be loaded again. Default: it
   * never does.
   */
  changesWith?: (run: Run, value: Value | undefined) => boolean;
  /** Pause between two loads because of changes. Milliseconds; default 1000. */
  pauseMs?: number;
  /**
   * When this changes, the value is loaded again, and the old one stays until then. When `key`
   * changes, the old value is dropped at once.
   */
  version?: string;
}

/**
 * Calls `load` at once, and again when `key` or `version` changes, when the service is back or
 * someone signs in, and when a relevant run changes.
 * @param key identifies what is loaded; undefined loads nothing
 */
export function useLoad<Value>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<Value>,
  { changesWith, pauseMs, version }: Options<Value> = {},
): Loaded<Value> {
  const [state, setState] = useState<{ key?: string | undefined; turn?: number; value?: Value; error?: ApiError }>({});
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
        if (!controller.signal.aborted) setState({ key, turn, value: loaded });
      } catch (error) {
        if (controller.signal.aborted) return;
        const shown = error instanceof ApiError ? error : new ApiError(0, { detail: String(error) });
        setState((before) => ({
          key,
          turn,
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
          // The effect for another key runs a frame after that key was rendered.
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
    isLoading: key !== undefined && (!isMine || state.turn !== turn),
    reload,
  };
}
