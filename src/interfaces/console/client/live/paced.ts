/** Between two loads of one list, however much happens to it. Milliseconds. */
const PAUSE_MS = 1000;

/**
 * Work that is asked for more often than it is to be done: never twice at a time, with a pause in between, and once more after the last time that
 * it was asked for.
 */
export function paced(work: () => Promise<void>, pauseMs = PAUSE_MS): { ask: () => void; stop: () => void } {
  let isBusy = false;
  let isAsked = false;
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rest = (): void => {
    isBusy = false;
    if (isAsked) void begin();
  };
  const begin = async (): Promise<void> => {
    isAsked = false;
    isBusy = true;
    await work();
    if (!isStopped) timer = setTimeout(rest, pauseMs);
  };
  return {
    ask: () => {
      isAsked = true;
      if (!isBusy && !isStopped) void begin();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
