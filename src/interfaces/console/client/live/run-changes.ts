/** Tells pages which runs have changed. All pages share one stream. */
import type { Run } from "../runs/runs-api.ts";
import { may } from "../session.ts";
import { listen } from "./server-events.ts";

/** @param run the changed run as it is now; undefined if any run may have changed */
type Listener = (run: Run | undefined) => void;

const listeners = new Set<Listener>();
let stop: (() => void) | undefined;

/** How often to look for people who may not see all runs, and so can't follow any. Milliseconds. */
const LOOK_MS = 3000;

/** Calls `listener` until the returned function is called; at first without a run, as soon as it listens. */
export function onRunChange(listener: Listener): () => void {
  listeners.add(listener);
  stop ??= may("feedback:read") ? followAll() : lookAgainAndAgain();
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
    // So that a list is kept up to date even if the stream is cut off again and again.
    onLost: () => tell(undefined),
  });

function lookAgainAndAgain(): () => void {
  const timer = setInterval(() => {
    if (!document.hidden) tell(undefined);
  }, LOOK_MS);
  return () => clearInterval(timer);
}
