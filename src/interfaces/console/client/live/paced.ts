/** Pause between two loads of the same content, unless the caller sets another. Milliseconds. */
const PAUSE_MS = 1000;

/**
 * Limits work that is requested more often than it should be done. The work never runs twice at a
 * time. Each time is followed by a pause; if the work was requested meanwhile, it then runs again.
 */
export function paced(work: () => Promise<void>, pauseMs = PAUSE_MS): { ask: () => void; stop: () => void } {
  let isBusy = false;
  let isAsked = false;
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const endPause = (): void => {
    isBusy = false;
    if (isAsked) void begin();
  };
  const begin = async (): Promise<void> => {
    isAsked = false;
    isBusy = true;
    await work();
    if (!isStopped) timer = setTimeout(endPause, pauseMs);
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
