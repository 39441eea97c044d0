import { host } from "./host.ts";
import { note, oneLine } from "./output.ts";

/** Shows the progress of long work on standard error. Never throws, never waits. */
export interface Progress {
  /** @param share of the work that is done, 0 to 1; absent if the total is unknown */
  update(message: string, share?: number): void;
  /** Removes the progress from the terminal. */
  stop(): void;
}

const STEPS = 1000;
const WIDTH = 28;
/** Interval between two lines if there is no terminal to draw on. Milliseconds. */
const LINE_INTERVAL = 5000;

/** A bar on a terminal; elsewhere a line now and then. */
export const createProgress = async (message: string): Promise<Progress> =>
  host().stderr.isTTY ? terminalProgress(message) : lineProgress();

async function terminalProgress(message: string): Promise<Progress> {
  const { progress: bar } = await import("@clack/prompts");
  const view = bar({
    max: STEPS,
    size: WIDTH,
    style: "heavy",
    indicator: "timer",
    output: host().stderr,
    withGuide: false,
    cancelMessage: "Stopping",
    styleFrame: (frame) => frame,
  });
  view.start(oneLine(message));
  // The bar reads keys itself and would end the process at Ctrl-C. As a signal, Ctrl-C reaches the
  // code that can stop cleanly.
  const { stdin } = host();
  if (stdin.isTTY) stdin.setRawMode?.(false);
  let drawn = 0;
  return {
    update: (text, share = 0) => {
      const step = Math.round(Math.min(share, 1) * STEPS);
      // The bar redraws itself.
      view.advance(step - drawn, oneLine(text));
      drawn = step;
    },
    stop: () => view.clear(),
  };
}

function lineProgress(): Progress {
  let last = performance.now();
  return {
    update: (text, share) => {
      if (performance.now() - last < LINE_INTERVAL) return;
      last = performance.now();
      note(share === undefined ? text : `${Math.floor(share * 100)}%  ${text}`);
    },
    stop: () => {},
  };
}
