/** Tells pages which runs have changed. All pages share one stream. */
import type { Run } from "../runs/runs-api.ts";
import { may } from "../session.ts";
import { listen } from "./server-events.ts";

/** @param run the changed run as it is now; undefined if any run may have changed */
type Listener = (run: Run | undefined) => void;

const listeners = new Set<Listener>();
let stop: (() => void) | undefined;

/**
 * How often listeners are called if the person lacks `feedback:read`, and so can't follow runs.
 * Milliseconds.
 */
const POLL_INTERVAL_MS = 3000;

/**
 * Calls `listener` for each change until the returned function is called. A new stream begins with
 * a call without a run; a listener that joins an open stream doesn't get that call.
 */
export function onRunChange(listener: Listener): () => void {
  listeners.add(listener);
  stop ??= may("feedback:read") ? followAll() : poll();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    stop?.();
    stop = undefined;
  };
}

const tell: Listener = (run) => {
  for (const listener of listeners) listener(run);
};

const followAll = (): (() => void) =>
  listen({
    path: "/runs/events",
    types: ["run", "reset"],
    take: (type, data) => tell(type === "run" ? (data as Run) : undefined),
    // A list then stays up to date even if the stream is cut off again and again.
    onLost: () => tell(undefined),
  });

function poll(): () => void {
  const timer = setInterval(() => {
    if (!document.hidden) tell(undefined);
  }, POLL_INTERVAL_MS);
  return () => clearInterval(timer);
}
