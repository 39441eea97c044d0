import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, returns } from "./api.ts";

/** What a page asks for. The last value stays while it is asked for again. */
export interface Loaded<Value> {
  value: Value | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
  reload: () => void;
}

interface Options {
  /** Milliseconds between looks while the page is on the screen; default: one look. */
  every?: number;
  /** Loads again when it changes, and keeps the value meanwhile; another `key` does not keep it. */
  version?: string;
}

/**
 * Calls `load` at once, and again when `key` or `version` changes, when the service is back, and every `every` milliseconds.
 * @param key stands for what is loaded; undefined loads nothing
 */
export function useLoad<Value>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<Value>,
  { every, version }: Options = {},
): Loaded<Value> {
  const [state, setState] = useState<{ key?: string | undefined; value?: Value; error?: ApiError }>({});
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(() => setTurn((number) => number + 1), []);
  const round = returns.value;

  useEffect(() => {
    if (key === undefined) return undefined;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const value = await latest.current(controller.signal);
        if (!controller.signal.aborted) setState({ key, value });
      } catch (error) {
        if (controller.signal.aborted) return;
        const shown = error instanceof ApiError ? error : new ApiError(0, { detail: String(error) });
        setState((before) => ({
          key,
          error: shown,
          ...(before.key === key && before.value !== undefined && { value: before.value }),
        }));
      }
      if (every !== undefined && !controller.signal.aborted) timer = setTimeout(() => void lookIfSeen(), every);
    };
    const lookIfSeen = async (): Promise<void> => {
      if (document.hidden) timer = setTimeout(() => void lookIfSeen(), every);
      else await look();
    };
    void look();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [key, version, turn, every, round]);

  const isMine = state.key === key;
  return {
    value: isMine ? state.value : undefined,
    error: isMine ? state.error : undefined,
    isLoading: key !== undefined && !isMine,
    reload,
  };
}
