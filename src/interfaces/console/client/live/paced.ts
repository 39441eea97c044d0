/** Pause between two loads of a list, however often it changes. Milliseconds. */
const PAUSE_MS = 1000;

/**
 * Limits work that is requested more often than it should be done. The work never runs twice at a
 * time, pauses in between, and runs once more if it was requested meanwhile.
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
